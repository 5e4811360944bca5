CREATE TABLE journal (
  seq INTEGER PRIMARY KEY,
  v INTEGER NOT NULL,
  type TEXT NOT NULL,
  stream TEXT,
  subject TEXT,
  actor TEXT NOT NULL,
  on_behalf_of TEXT,
  via TEXT NOT NULL,
  caused_by INTEGER,
  root INTEGER NOT NULL,
  hops INTEGER NOT NULL,
  activation_id TEXT,
  at TEXT NOT NULL,
  data TEXT NOT NULL,
  prev_hash BLOB NOT NULL,
  hash BLOB NOT NULL,
  shapes_org INTEGER NOT NULL
) STRICT;
--> statement-breakpoint
CREATE INDEX journal_stream ON journal (stream, seq) WHERE stream IS NOT NULL;
--> statement-breakpoint
CREATE INDEX journal_subject ON journal (subject, seq) WHERE subject IS NOT NULL;
--> statement-breakpoint
CREATE INDEX journal_caused_by ON journal (caused_by, activation_id) WHERE caused_by IS NOT NULL;
--> statement-breakpoint
CREATE INDEX journal_org ON journal (seq) WHERE shapes_org = 1;
--> statement-breakpoint
CREATE INDEX journal_chat ON journal (actor, seq) WHERE via = 'chat';
--> statement-breakpoint
CREATE INDEX journal_remarks ON journal (seq)
  WHERE type = 'EventPublished' AND actor = 'system' AND stream <> 's-notices' AND activation_id IS NOT NULL;
--> statement-breakpoint
CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN
  SELECT RAISE(ABORT, 'the journal is append-only');
END;
--> statement-breakpoint
CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN
  SELECT RAISE(ABORT, 'the journal is append-only');
END;
--> statement-breakpoint
CREATE TRIGGER journal_no_replace BEFORE INSERT ON journal WHEN NEW.seq <= (SELECT coalesce(max(seq), 0) FROM journal) BEGIN
  SELECT RAISE(ABORT, 'the journal is append-only');
END;
--> statement-breakpoint
-- With a rowid, so that bytes are only ever appended: pages that SQLite rebuilds keep stray copies, which no erasure reaches.
CREATE TABLE content (
  seq INTEGER NOT NULL,
  name TEXT NOT NULL,
  salt BLOB,
  bytes BLOB,
  PRIMARY KEY (seq, name)
) STRICT;
--> statement-breakpoint
CREATE TRIGGER content_only_erased BEFORE UPDATE ON content WHEN NEW.bytes IS NOT NULL OR NEW.salt IS NOT NULL
  OR NEW.seq <> OLD.seq OR NEW.name <> OLD.name BEGIN
  SELECT RAISE(ABORT, 'content can be erased, not changed');
END;
--> statement-breakpoint
CREATE TRIGGER content_no_delete BEFORE DELETE ON content BEGIN
  SELECT RAISE(ABORT, 'content can be erased, not deleted');
END;
--> statement-breakpoint
CREATE TRIGGER content_no_replace BEFORE INSERT ON content
  WHEN EXISTS (SELECT 1 FROM content WHERE seq = NEW.seq AND name = NEW.name) BEGIN
  SELECT RAISE(ABORT, 'content can be erased, not changed');
END;
--> statement-breakpoint
CREATE TABLE roles (
  id TEXT PRIMARY KEY,
  content TEXT NOT NULL,
  seq INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE positions (
  id TEXT PRIMARY KEY,
  role_id TEXT NOT NULL,
  parent_id TEXT
) STRICT;
--> statement-breakpoint
CREATE INDEX positions_parent ON positions (parent_id);
--> statement-breakpoint
CREATE TABLE workers (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  identity TEXT NOT NULL,
  identity_seq INTEGER NOT NULL,
  positions TEXT NOT NULL,
  hired_by TEXT NOT NULL,
  hired_at TEXT NOT NULL,
  hired_seq INTEGER NOT NULL,
  paused_at TEXT,
  fired_at TEXT,
  grants_seq INTEGER NOT NULL,
  checkpoint INTEGER NOT NULL,
  open_batch TEXT,
  agent TEXT NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE grants (
  id TEXT PRIMARY KEY,
  worker TEXT NOT NULL,
  tool TEXT NOT NULL,
  seq INTEGER NOT NULL
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX grants_worker ON grants (worker, tool);
--> statement-breakpoint
CREATE TABLE streams (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  transport_kind TEXT NOT NULL,
  transport_config TEXT NOT NULL,
  purpose TEXT NOT NULL,
  members TEXT NOT NULL,
  private INTEGER NOT NULL,
  hold INTEGER NOT NULL,
  batch TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at TEXT NOT NULL,
  deleted_at TEXT,
  last_seq INTEGER NOT NULL,
  event_count INTEGER NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE subscriptions (
  worker TEXT NOT NULL,
  stream TEXT NOT NULL,
  from_seq INTEGER NOT NULL,
  to_seq INTEGER,
  filter TEXT,
  PRIMARY KEY (worker, stream, from_seq)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX subscriptions_stream ON subscriptions (stream, worker);
--> statement-breakpoint
CREATE TABLE wakes (
  worker TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (worker, seq)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE threads (
  thread TEXT NOT NULL,
  stream TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (thread, stream, seq)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE set_aside (
  worker TEXT NOT NULL,
  seq INTEGER NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  entry_seq INTEGER NOT NULL,
  PRIMARY KEY (worker, seq)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX set_aside_state ON set_aside (state, entry_seq);
--> statement-breakpoint
CREATE INDEX set_aside_seq ON set_aside (seq);
--> statement-breakpoint
CREATE TABLE held_events (
  seq INTEGER PRIMARY KEY,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  entry_seq INTEGER NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE stoppages (
  scope TEXT NOT NULL,
  from_seq INTEGER NOT NULL,
  hold TEXT NOT NULL,
  reason TEXT NOT NULL,
  from_at TEXT NOT NULL,
  to_at TEXT NOT NULL,
  PRIMARY KEY (scope, from_seq)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX stoppages_end ON stoppages (scope, to_at);
--> statement-breakpoint
CREATE TABLE redactions (
  seq INTEGER PRIMARY KEY,
  by_seq INTEGER NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE activations (
  id TEXT PRIMARY KEY,
  worker TEXT NOT NULL,
  seq INTEGER NOT NULL,
  state TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  triggers TEXT NOT NULL,
  agent TEXT NOT NULL,
  ran_with TEXT NOT NULL,
  root INTEGER NOT NULL,
  hops INTEGER NOT NULL,
  started_at TEXT NOT NULL,
  ended_at TEXT,
  ended_seq INTEGER,
  exit TEXT,
  published INTEGER,
  changed INTEGER,
  usage TEXT
) STRICT;
--> statement-breakpoint
CREATE INDEX activations_worker ON activations (worker, seq);
--> statement-breakpoint
CREATE INDEX activations_state ON activations (state, seq);
--> statement-breakpoint
CREATE INDEX activations_started ON activations (started_at, seq);
--> statement-breakpoint
CREATE INDEX activations_worker_started ON activations (worker, started_at, seq);
--> statement-breakpoint
CREATE UNIQUE INDEX activations_seq ON activations (seq);
--> statement-breakpoint
CREATE INDEX activations_root ON activations (root);
--> statement-breakpoint
CREATE UNIQUE INDEX activations_one_run ON activations (worker) WHERE state = 'running';
--> statement-breakpoint
CREATE TABLE activation_triggers (
  seq INTEGER NOT NULL,
  activation_seq INTEGER NOT NULL,
  PRIMARY KEY (seq, activation_seq)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE deliveries (
  id TEXT PRIMARY KEY,
  seq INTEGER NOT NULL,
  stream TEXT NOT NULL,
  worker TEXT NOT NULL,
  kind TEXT NOT NULL,
  recipient TEXT,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  message_id TEXT,
  detail TEXT,
  at TEXT NOT NULL,
  entry_seq INTEGER NOT NULL
) STRICT;
--> statement-breakpoint
CREATE INDEX deliveries_seq ON deliveries (seq, id);
--> statement-breakpoint
CREATE INDEX deliveries_stream ON deliveries (stream, entry_seq);
--> statement-breakpoint
CREATE INDEX deliveries_stream_state ON deliveries (stream, state, entry_seq);
--> statement-breakpoint
CREATE INDEX deliveries_state ON deliveries (state, entry_seq);
--> statement-breakpoint
CREATE INDEX deliveries_worker ON deliveries (worker, state);
--> statement-breakpoint
CREATE INDEX deliveries_message ON deliveries (message_id, entry_seq) WHERE message_id IS NOT NULL;
--> statement-breakpoint
CREATE TABLE outbox (
  id TEXT PRIMARY KEY,
  seq INTEGER NOT NULL,
  stream TEXT NOT NULL,
  lane TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  first_at TEXT,
  next_at TEXT,
  last_error TEXT
) STRICT;
--> statement-breakpoint
CREATE INDEX outbox_due ON outbox (stream, next_at) WHERE next_at IS NOT NULL;
--> statement-breakpoint
CREATE INDEX outbox_lane ON outbox (stream, lane, seq);
--> statement-breakpoint
CREATE TABLE idempotency (
  stream TEXT NOT NULL,
  provider TEXT NOT NULL,
  key TEXT NOT NULL,
  body_digest BLOB,
  seq INTEGER NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (stream, provider, key)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX idempotency_at ON idempotency (at);
--> statement-breakpoint
CREATE TABLE transcripts (
  seq INTEGER PRIMARY KEY,
  worker TEXT NOT NULL,
  activation_id TEXT NOT NULL,
  at TEXT NOT NULL,
  body TEXT NOT NULL,
  extra TEXT
) STRICT;
--> statement-breakpoint
CREATE INDEX transcripts_worker ON transcripts (worker, seq);
--> statement-breakpoint
CREATE INDEX transcripts_activation ON transcripts (activation_id, seq);
--> statement-breakpoint
CREATE TABLE conversations (
  id TEXT PRIMARY KEY,
  worker TEXT NOT NULL,
  title TEXT NOT NULL,
  session TEXT,
  model TEXT,
  cost_usd REAL NOT NULL,
  started_at TEXT NOT NULL,
  opened_at TEXT NOT NULL,
  last_at TEXT NOT NULL,
  unfinished TEXT
) STRICT;
--> statement-breakpoint
CREATE INDEX conversations_worker ON conversations (worker, opened_at);
--> statement-breakpoint
CREATE TABLE chat_lines (
  seq INTEGER PRIMARY KEY,
  worker TEXT NOT NULL,
  conversation TEXT NOT NULL,
  at TEXT NOT NULL,
  body TEXT NOT NULL,
  extra TEXT
) STRICT;
--> statement-breakpoint
CREATE INDEX chat_lines_worker ON chat_lines (worker, seq);
--> statement-breakpoint
CREATE INDEX chat_lines_conversation ON chat_lines (conversation, seq);
--> statement-breakpoint
-- With rowids, for the reason given at content.
CREATE TABLE attachments (
  id TEXT PRIMARY KEY,
  at TEXT NOT NULL,
  event INTEGER
) STRICT;
--> statement-breakpoint
CREATE INDEX attachments_unused ON attachments (at) WHERE event IS NULL;
--> statement-breakpoint
CREATE TABLE attachment_slices (
  id TEXT NOT NULL,
  n INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (id, n)
) STRICT;
--> statement-breakpoint
CREATE TABLE processes (
  activation_id TEXT PRIMARY KEY,
  worker TEXT NOT NULL,
  pid INTEGER NOT NULL,
  started_at TEXT NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE agent_sessions (
  worker TEXT NOT NULL,
  conversation TEXT NOT NULL,
  kind TEXT NOT NULL,
  session TEXT NOT NULL,
  texts TEXT NOT NULL,
  grants_seq INTEGER NOT NULL,
  activation_id TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (worker, conversation)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  worker TEXT NOT NULL,
  hash BLOB NOT NULL UNIQUE,
  label TEXT NOT NULL,
  kind TEXT NOT NULL,
  on_behalf_of TEXT,
  created_at TEXT NOT NULL,
  expires_at TEXT,
  last_used_at TEXT,
  revoked_at TEXT
) STRICT;
--> statement-breakpoint
CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT;
--> statement-breakpoint
CREATE VIRTUAL TABLE search USING fts5 (
  sender, subject, body, content = '', tokenize = 'unicode61 remove_diacritics 2'
);
--> statement-breakpoint
INSERT INTO search (search, rank) VALUES ('secure-delete', 1);
