package dev.duoka.cli.console;

import dev.duoka.base.ByteSize;
import dev.duoka.base.Percent;
import dev.duoka.diagnosis.rule.Role;
import dev.duoka.diagnosis.verdict.Diagnosis;
import dev.duoka.diagnosis.verdict.Evidence;
import dev.duoka.diagnosis.verdict.Finding;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** A diagnosis as text: the best finding in full, the others in short. */
public final class DiagnosisReport {
  private static final int WIDTH = 100;
  private static final int LONGEST_LINE = 300;
  private static final int MOST_RANKS = 16;

  private DiagnosisReport() {}

  /** Prints it. */
  public static void print(Diagnosis diagnosis, PrintWriter out) {
    String read =
        String.format(
            Locale.ROOT,
            "%,d lines (%s) of %d %s",
            diagnosis.lines(),
            ByteSize.text(diagnosis.bytes()),
            diagnosis.logs(),
            diagnosis.logs() == 1 ? "log" : "logs");
    if (diagnosis.findings().isEmpty()) {
      out.println("Nothing failed, as far as " + read + " tell.");
      survived(diagnosis, out);
      return;
    }
    Finding best = diagnosis.findings().getFirst();
    full(best, out);
    List<Finding> others = diagnosis.findings().subList(1, diagnosis.findings().size());
    if (!others.isEmpty()) {
      out.println();
      out.println("Also found:");
      others.forEach(finding -> inShort(finding, out));
    }
    survived(diagnosis, out);
    out.println();
    out.println("Read " + read + ".");
  }

  private static void survived(Diagnosis diagnosis, PrintWriter out) {
    if (!diagnosis.survived().isEmpty()) {
      out.println();
      out.println("The run went on after these lines, so they are no failure:");
      diagnosis.survived().forEach(e -> out.println("  " + at(e)));
    }
  }

  private static void full(Finding finding, PrintWriter out) {
    out.println(String.format(Locale.ROOT, "%s  (%s)", finding.what(), certainty(finding)));
    out.println(
        "  cause      " + finding.rootCause() + ", component " + finding.component().label());
    String where = where(finding);
    if (!where.isEmpty()) {
      out.println("  where      " + where);
    }
    out.println("  evidence   " + at(finding.decisive()));
    finding.evidence().stream().skip(1).limit(4).forEach(e -> out.println("             " + at(e)));
    wrapped("  why        ", finding.why(), out);
    wrapped("  what to do ", finding.fix(), out);
    if (!finding.consequences().isEmpty()) {
      out.println("  taken as consequences of it:");
      finding.consequences().forEach(e -> out.println("             " + at(e)));
    }
  }

  private static void inShort(Finding finding, PrintWriter out) {
    String where = where(finding);
    out.println(
        "- "
            + finding.what()
            + "  ("
            + certainty(finding)
            + (where.isEmpty() ? "" : "; " + where)
            + ")");
    out.println("  " + at(finding.decisive()));
    wrapped("  what to do: ", finding.fix().lines().findFirst().orElse(""), out);
  }

  private static String certainty(Finding finding) {
    String percent = Percent.whole(finding.confidence());
    return finding.role() == Role.ROOT ? percent : percent + ", the cause itself is not in the log";
  }

  private static String where(Finding finding) {
    StringBuilder where = new StringBuilder();
    if (finding.rank().isPresent()) {
      where.append("rank ").append(finding.rank().getAsInt());
    } else if (finding.localRank().isPresent()) {
      where.append("local rank ").append(finding.localRank().getAsInt());
    }
    if (finding.ranks().size() > 1) {
      where
          .append(" (reported by ranks ")
          .append(
              finding.ranks().stream()
                  .limit(MOST_RANKS)
                  .map(String::valueOf)
                  .collect(Collectors.joining(", ")))
          .append(finding.ranks().size() > MOST_RANKS ? ", …)" : ")");
    }
    finding
        .host()
        .ifPresent(host -> where.append(where.isEmpty() ? "host " : ", host ").append(host));
    return where.toString();
  }

  private static String at(Evidence evidence) {
    String text = evidence.text().strip();
    return evidence.file()
        + ":"
        + evidence.line()
        + ": "
        + (text.length() <= LONGEST_LINE ? text : text.substring(0, LONGEST_LINE) + "…");
  }

  /** Words on lines of at most a hundred characters; line breaks of the text stay. */
  private static void wrapped(String label, String text, PrintWriter out) {
    String indent = " ".repeat(label.length());
    StringBuilder line = new StringBuilder(label);
    for (String paragraph : text.lines().toList()) {
      for (String word : paragraph.split(" ", -1)) {
        if (line.length() + word.length() > WIDTH && line.length() > indent.length()) {
          out.println(line.toString().stripTrailing());
          line = new StringBuilder(indent);
        }
        line.append(word).append(' ');
      }
      out.println(line.toString().stripTrailing());
      line = new StringBuilder(indent);
    }
  }
}
