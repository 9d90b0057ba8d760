package dev.duoka.data.training;

import dev.duoka.data.source.SkipReason;
import dev.duoka.formats.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/** Shows the sources of a run side by side. */
final class SourceTable {
  /**
   * Passes over the same data up to which they are worth nearly as much as new data (Muennighoff et
   * al., "Scaling Data-Constrained Language Models", 2023).
   */
  private static final int EPOCHS_WORTH_IT = 4;

  private static final List<String> HEAD =
      List.of(
          "source", "documents", "tokens", "sequences", "weight", "share", "epochs", "held out");

  private SourceTable() {}

  static List<String> lines(List<SourceReport> sources, double rowSequences) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(HEAD);
    sources.forEach(source -> rows.add(row(source, rowSequences)));
    List<String> lines = new ArrayList<>();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int column = 0; column < HEAD.size(); column++) {
        int at = column;
        int width = rows.stream().mapToInt(each -> each.get(at).length()).max().orElse(0);
        String padding = " ".repeat(width - row.get(column).length());
        String cell = column == 0 ? row.get(column) + padding : padding + row.get(column);
        line.append(column == 0 ? "" : "  ").append(cell);
      }
      lines.add(line.toString());
    }
    for (SourceReport source : sources) {
      lines.addAll(remarks(source, rowSequences));
    }
    return lines;
  }

  private static List<String> row(SourceReport source, double rowSequences) {
    boolean trained = source.sequences() > 0;
    return List.of(
        source.name(),
        "%,d".formatted(source.documents()),
        "%,d".formatted(source.tokens()),
        trained ? "%,d".formatted(source.sequences()) : "-",
        source.weight().isEmpty() ? "-" : source.weight(),
        trained ? String.format(Locale.ROOT, "%.1f %%", 100 * source.share()) : "-",
        trained ? String.format(Locale.ROOT, "%.2f", source.epochs(rowSequences)) : "-",
        "%,d".formatted(source.heldOut()));
  }

  private static List<String> remarks(SourceReport source, double rowSequences) {
    List<String> lines = new ArrayList<>();
    if (source.cut() > 0) {
      lines.add(
          "%s: %,d documents are cut by data.sequence_length and lose %,d tokens; the longest has %,d"
              .formatted(source.name(), source.cut(), source.cutTokens(), source.longest()));
    }
    double epochs = source.epochs(rowSequences);
    if (epochs > EPOCHS_WORTH_IT) {
      lines.add(
          String.format(
              Locale.ROOT,
              "%s: this run passes over it %.1f times; up to %d times repeated data is worth nearly"
                  + " as much as new data, beyond that less and less (Muennighoff et al., 2023)."
                  + " Lower its weight, or add data to it",
              source.name(),
              epochs,
              EPOCHS_WORTH_IT));
    }
    return lines;
  }

  static ObjectNode json(List<SourceReport> sources, double rowSequences) {
    ObjectNode json = Json.object();
    var list = json.putArray("sources");
    for (SourceReport source : sources) {
      ObjectNode node = list.addObject();
      node.put("name", source.name());
      node.put("documents", source.documents());
      node.put("tokens", source.tokens());
      node.put("sequences", source.sequences());
      node.put("held_out_sequences", source.heldOut());
      node.put("weight", source.weight());
      Json.putNumber(node, "share", source.share());
      Json.putNumber(node, "epochs", source.epochs(rowSequences));
      node.put("cut_documents", source.cut());
      node.put("cut_tokens", source.cutTokens());
      node.put("longest_document", source.longest());
      node.put("documents_without_targets", source.withoutTargets());
      counts(source.skipped(), node.putObject("left_out"));
      counts(source.badData().bad(), node.putObject("bad"));
    }
    return json;
  }

  private static void counts(Map<SkipReason, Long> counts, ObjectNode into) {
    counts.forEach((reason, count) -> into.put(reason.name().toLowerCase(Locale.ROOT), count));
  }
}
