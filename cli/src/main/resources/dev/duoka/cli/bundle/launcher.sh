#!/bin/sh
# Runs duoka with the Java runtime beside it. Needs nothing but this folder and /bin/sh.
#
# DUOKA_JAVA_OPTIONS further options for the JVM, for example -Xmx8g
program=$0
while [ -L "$program" ]; do # follow symbolic links without readlink, which may not be on PATH
  target=$(/bin/ls -l "$program")
  target=${target##* -> }
  case $target in
    /*) program=$target ;;
    *) program=${program%/*}/$target ;;
  esac
done
case $program in
  */*) home=$(cd "${program%/*}" && pwd -P) ;;
  *) home=$(pwd -P) ;;
esac
# Java decodes arguments and names of files by the locale. That of a container or of cron is POSIX, which
# knows ASCII alone; one that is not installed counts as POSIX too.
case $(locale charmap 2>/dev/null || echo "${LC_ALL:-${LC_CTYPE:-${LANG:-POSIX}}}") in
  '' | C | POSIX | ANSI_X3.4-1968 | US-ASCII) export LC_ALL=C.UTF-8 ;;
esac

# Threads of OpenMP that wait by spinning take the cores from those they wait for when the machine is
# busy with anything else.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"

# shellcheck disable=SC2086
exec "$home/jre/bin/java" "@$home/jvm.options" ${DUOKA_JAVA_OPTIONS:-} \
  -p "$home/lib" -m dev.duoka.cli/dev.duoka.cli.Main "$@"
