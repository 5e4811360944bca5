# Stands before git for AI Workers: a commit gets a trailer that says in which activation it was made. Everything else
# passes as it is. `wrappers`, the directory this lies in, is set by the line above.

rest=
IFS=:
for folder in $PATH; do
  [ "$folder" = "$wrappers" ] || rest=$rest:${folder:-.}
done
unset IFS
real=$(PATH=${rest#:} command -v git)
if [ -z "$real" ]; then
  echo 'git: command not found' >&2
  exit 127
fi
[ -n "$HELIX_PROVENANCE" ] || exec "$real" "$@"

# What comes before the command are options, some of which take the next word.
at=0
command=
takes=
for word; do
  at=$((at + 1))
  if [ -n "$takes" ]; then
    takes=
    continue
  fi
  case $word in
    -C | -c | --git-dir | --work-tree | --namespace | --super-prefix | --config-env | --attr-source) takes=1 ;;
    -*) ;;
    *)
      command=$word
      break
      ;;
  esac
done
[ "$command" = commit ] || exec "$real" "$@"
# Older than 2.32, it knows no trailers.
"$real" commit -h 2>&1 | grep -q -e --trailer || exec "$real" "$@"

total=$#
number=0
while [ $number -lt $total ]; do
  number=$((number + 1))
  word=$1
  shift
  set -- "$@" "$word"
  [ $number -ne $at ] || set -- "$@" --trailer "Helix-Activation: $HELIX_PROVENANCE"
done
exec "$real" "$@"
