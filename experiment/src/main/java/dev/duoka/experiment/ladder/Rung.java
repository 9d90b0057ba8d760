package dev.duoka.experiment.ladder;

import dev.duoka.layout.Layout;
import java.util.ArrayList;
import java.util.List;

/**
 * A mesh of some or all of a run's ranks.
 *
 * @param number from 1
 * @param tensor ranks that share each product
 * @param pipeline ranks that each have some of the layers
 * @param context ranks that share each sequence
 * @param data data-parallel ranks
 * @param replicate groups of data-parallel ranks among which alone states are shared
 * @param expert ranks over which the experts are spread
 * @param grown the axes that are longer than on the rung below, by their names in run files
 */
public record Rung(
    int number,
    int tensor,
    int pipeline,
    int context,
    int data,
    int replicate,
    int expert,
    List<String> grown) {
  public Rung {
    grown = List.copyOf(grown);
  }

  /** All of its ranks. */
  public int ranks() {
    return ranksOfModel() * data;
  }

  /** Those that compute one sequence together. */
  int ranksOfModel() {
    return tensor * pipeline * context;
  }

  /** Its axes as {@code KEY=VALUE} of a run file. */
  List<String> axes() {
    List<String> axes =
        new ArrayList<>(
            List.of(
                "parallel.tensor=" + tensor,
                "parallel.pipeline=" + pipeline,
                "parallel.context=" + context,
                "parallel.data=" + data,
                "parallel.replicate=" + replicate,
                "parallel.expert=" + expert));
    if (!Layout.exchangesBuckets(data, context, tensor)) {
      axes.add("parallel.blocks_per_bucket=1"); // there is nobody to exchange buckets with
    }
    return axes;
  }

  /** For example {@code data 2 × tensor 2}; {@code one rank} for the first. */
  public String mesh() {
    List<String> parts = new ArrayList<>();
    axis(parts, "data", data);
    axis(parts, "tensor", tensor);
    axis(parts, "pipeline", pipeline);
    axis(parts, "context", context);
    String text = parts.isEmpty() ? "one rank" : String.join(" × ", parts);
    return expert > 1 ? text + ", expert " + expert : text;
  }

  private static void axis(List<String> parts, String name, int size) {
    if (size > 1) {
      parts.add(name + " " + size);
    }
  }
}
