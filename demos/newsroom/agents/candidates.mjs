/** Whom the scripted recruiter remembers: by seat, three who differ. A model would make them up. */
export const candidates = {
  'p-reporter': [
    [
      'Ines',
      'Came from the county paper and knows every name in the council. Writes numbers down first, and walks there to see for herself.',
    ],
    ['Tobias', 'Wrote long features for a magazine. Has never met a deadline he liked.'],
    ['Noor', 'A radio voice of ten years. Good with people, impatient with tables.'],
  ],
  'p-copy-desk': [
    ['Bertil', 'Taught Latin for twenty years. Explains every comma that he moves.'],
    [
      'Wanda',
      'Likes it short and plain. Cuts the first sentence of everything and has never been asked to put one back.',
    ],
    ['Kaj', 'Wrote slogans. Adds a little something to each paragraph.'],
  ],
  'p-fact-check': [
    ['Otto', 'Trusts people. Calls them, believes them, writes it down.'],
    ['Pia', 'Fast with search engines, bored by the second page.'],
    [
      'Thea',
      'Doubts first and asks later. Reads the tables before the text, and keeps a list of sources that were wrong once.',
    ],
  ],
  'p-seo': [
    ['Milo', 'Honest about what readers search for, and about what they then get. Counts characters for pleasure.'],
    ['Vera', 'Ten tricks, nine of them forbidden by now.'],
    ['Sami', 'Has a feeling for puns that nobody looks for.'],
  ],
  'p-publisher': [
    ['Rolf', 'Always on the main line, always in a hurry.'],
    ['Petra', 'Careful with other people’s sites: works on branches, and does nothing that is not reversible.'],
    ['Lars', 'Knows six systems to publish with and wants a seventh.'],
  ],
};
