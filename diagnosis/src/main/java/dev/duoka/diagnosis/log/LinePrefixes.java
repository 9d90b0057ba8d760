package dev.duoka.diagnosis.log;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Takes the prefixes off a line, one after another: what launchers, schedulers, containers and
 * loggers put in front of the message.
 */
final class LinePrefixes {
  private static final Pattern RANK =
      Pattern.compile("^\\[rank ?(\\d{1,6})\\]:?\\s?", Pattern.CASE_INSENSITIVE);
  private static final Pattern TORCHRUN = Pattern.compile("^\\[[A-Za-z_]+(\\d{1,4})\\]:\\s?");
  private static final Pattern MPI =
      Pattern.compile("^\\[\\d+,(\\d{1,6})\\](?:<std(?:err|out)>|\\[[^\\]]{1,80}\\])?:?\\s?");
  private static final Pattern SLURM_TASK = Pattern.compile("^ {0,4}(\\d{1,5}): (?=\\S| )");
  private static final Pattern WORKER =
      Pattern.compile(
          "^\\((?:\\w+ )?(?:\\w*?_?(?:TP|DP|PP)?(\\d{1,4}) )?(?:rank=(\\d{1,6}),? ?)?"
              + "pid=\\d+(?:, ip=([\\w.:-]+))?\\)\\s?");
  private static final Pattern DOCKER =
      Pattern.compile(
          "^\\{\"log\":\"(.*?)(?:\\\\n)?\",\"stream\":\"std(?:err|out)\"(?:,\"attrs\":.*?)?"
              + ",\"time\":\"([^\"]+)\"\\}$");
  private static final Pattern CONTAINER_STREAM = Pattern.compile("^std(?:err|out) [FP] ");
  private static final Pattern ISO_TIME =
      Pattern.compile(
          "^\\[?\\d{4}[-/](\\d\\d)[-/](\\d\\d)[T ](\\d\\d):(\\d\\d):(\\d\\d)(?:[.,](\\d{1,9}))?"
              + "(?:Z|[+-]\\d\\d:?\\d\\d)?\\]?\\s{0,2}");
  private static final Pattern KERNEL_HOST =
      Pattern.compile("^([A-Za-z0-9][\\w.-]{0,80}) (?:kernel|[a-z][\\w./-]{1,40}\\[\\d+\\]): ?");
  private static final Pattern SYSLOG =
      Pattern.compile(
          "^(?:<\\d+>)?([A-Z][a-z]{2}) {1,2}(\\d{1,2})"
              + " (\\d\\d):(\\d\\d):(\\d\\d)(?:[.,](\\d{1,9}))? ([A-Za-z0-9][\\w.:-]{0,80})"
              + " (?:[\\w./-]{1,60}(?:\\[\\d+\\])?): ?");
  private static final Pattern KERNEL_DATE =
      Pattern.compile(
          "^\\[(?:[A-Z][a-z]{2} )?([A-Z][a-z]{2}) {1,2}(\\d{1,2}) (?:\\d{4}"
              + " )?(\\d\\d):(\\d\\d):(\\d\\d)(?:[.,](\\d{1,9}))?(?: \\d{4})?\\]\\s?");
  private static final Pattern KERNEL_CLOCK =
      Pattern.compile(
          "^(?:kern {0,2}:\\w+ {0,4}: )?(?:\\[ {0,6}\\d{1,10}\\.\\d{1,9}\\]"
              + " ?|\\d{1,3},\\d+,\\d+,[^;]{1,20};)");
  private static final Pattern LEVEL = Pattern.compile("^kern {0,2}:\\w+ {0,4}: ");
  private static final Pattern HOST_COLON =
      Pattern.compile(
          "^(?!\\S*\\.[A-Z]\\w*:|nv|eth|ib|en[ops]|mlx|sd[a-z]|md\\d|dm-|loop|cuda|rank|step|epoch|iter|bond|veth|bnxt|python|line)((?:[a-z][\\w-]*\\d[\\w-]*(?:\\.[\\w-]+){0,6})|(?:\\d{1,3}(?:\\.\\d{1,3}){3})):"
              + " (?=\\S| )");
  private static final Pattern QUOTE = Pattern.compile("^(?:> ?|# )(?=\\S)");
  private static final Pattern NCCL =
      Pattern.compile("^([A-Za-z0-9][\\w.-]{0,80}):\\d+:\\d+ \\[(\\d{1,3})\\] ");
  private static final Pattern GLOG =
      Pattern.compile("^\\[?[IWEF](\\d{1,2})(\\d\\d) (\\d\\d):(\\d\\d):(\\d\\d)\\.(\\d{1,9})");
  private static final Pattern C10D_RANK =
      Pattern.compile("\\[(?:PG [^\\]]{0,80}|Global )?Rank (\\d{1,6})\\]");
  private static final Pattern SLURM_NODE =
      Pattern.compile("^srun: error: ([A-Za-z0-9][\\w.-]{0,80}): tasks? (\\d{1,6})(?![-,\\d])");
  private static final Pattern SLURM_ON =
      Pattern.compile("^slurmstepd: error: .{0,60}? ON ([A-Za-z0-9][\\w.-]{0,80}) CANCELLED");

  private static final String MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";
  private static final int MOST_PREFIXES = 8;
  private static final long MILLIS_PER_DAY = 86_400_000L;

  private final String text;
  private String body;
  private OptionalInt rank = OptionalInt.empty();
  private OptionalInt task = OptionalInt.empty();
  private OptionalInt localRank = OptionalInt.empty();
  private Optional<String> host = Optional.empty();
  private OptionalLong time = OptionalLong.empty();

  LinePrefixes(String text) {
    this.text = text;
    this.body = text;
  }

  LogLine parse() {
    for (int i = 0; i < MOST_PREFIXES && takeOne(); i++) {}
    readMessage();
    return new LogLine(text, body, rank.isPresent() ? rank : task, localRank, host, time);
  }

  private boolean takeOne() {
    if (body.isEmpty()) {
      return false;
    }
    Matcher m;
    if ((m = match(RANK)) != null) {
      setRank(m.group(1));
    } else if ((m = match(MPI)) != null || (m = match(SLURM_TASK)) != null) {
      // Where torchrun runs below, this is the number of the node; its own prefix says more.
      task = task.isPresent() ? task : OptionalInt.of(Integer.parseInt(m.group(1)));
    } else if ((m = match(TORCHRUN)) != null) {
      localRank = OptionalInt.of(Integer.parseInt(m.group(1)));
    } else if ((m = match(WORKER)) != null) {
      String number = m.group(2) == null ? m.group(1) : m.group(2);
      if (number != null) {
        setRank(number);
      }
      host = Optional.ofNullable(m.group(3)).or(() -> host);
    } else if ((m = match(DOCKER)) != null) {
      body = m.group(1).replace("\\\"", "\"").replace("\\t", "\t").replace("\\\\", "\\");
      return true;
    } else if ((m = match(ISO_TIME)) != null) {
      setTime(Integer.parseInt(m.group(1)), m, 2);
      body = body.substring(m.end());
      Matcher kernel = match(KERNEL_HOST);
      if (kernel == null) {
        return true;
      }
      m = kernel;
      host = Optional.of(m.group(1));
    } else if ((m = match(SYSLOG)) != null) {
      setTime(month(m.group(1)), m, 2);
      host = Optional.of(m.group(7));
    } else if ((m = match(KERNEL_DATE)) != null) {
      setTime(month(m.group(1)), m, 2);
    } else if ((m = match(HOST_COLON)) != null) {
      host = Optional.of(m.group(1));
    } else if ((m = match(KERNEL_CLOCK)) == null
        && (m = match(LEVEL)) == null
        && (m = match(CONTAINER_STREAM)) == null
        && (m = match(QUOTE)) == null) {
      return false;
    }
    body = body.substring(m.end());
    return true;
  }

  private @org.jspecify.annotations.Nullable Matcher match(Pattern pattern) {
    Matcher m = pattern.matcher(body);
    return m.find() ? m : null;
  }

  /** What the message itself tells, without being taken off. */
  private void readMessage() {
    Matcher m;
    if ((m = match(NCCL)) != null) {
      host = Optional.of(m.group(1));
      localRank = OptionalInt.of(Integer.parseInt(m.group(2)));
    } else if ((m = match(SLURM_NODE)) != null) {
      host = Optional.of(m.group(1));
      rank = OptionalInt.of(Integer.parseInt(m.group(2)));
    } else if ((m = match(SLURM_ON)) != null) {
      host = Optional.of(m.group(1));
    }
    if ((m = match(GLOG)) != null) {
      setTime(Integer.parseInt(m.group(1)), m, 2);
    }
    if (rank.isEmpty() && (m = match(C10D_RANK)) != null) {
      rank = OptionalInt.of(Integer.parseInt(m.group(1)));
    }
  }

  private void setRank(String number) {
    rank = rank.isPresent() ? rank : OptionalInt.of(Integer.parseInt(number));
  }

  private static int month(String name) {
    return MONTHS.indexOf(name) / 3 + 1;
  }

  /** Day, hour, minute, second and fraction are the groups from {@code first} on. */
  private void setTime(int month, Matcher m, int first) {
    int day = Integer.parseInt(m.group(first));
    long seconds =
        Integer.parseInt(m.group(first + 1)) * 3600L
            + Integer.parseInt(m.group(first + 2)) * 60L
            + Integer.parseInt(m.group(first + 3));
    String fraction = m.group(first + 4);
    long millis = fraction == null ? 0 : Long.parseLong((fraction + "00").substring(0, 3));
    time = OptionalLong.of((month * 31L + day) * MILLIS_PER_DAY + seconds * 1000 + millis);
  }
}
