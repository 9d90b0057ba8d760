package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.layout.Layout;
import dev.duoka.planner.search.Plan;
import dev.duoka.planner.search.PlanResult;
import dev.duoka.tensor.MemoryOwner;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a plan predicts beside what the engine books when it runs that plan on {@code meta}.
 *
 * @param layout the plan
 * @param predicted bytes of tensors at the peak, as the planner predicts them
 * @param counted the same by owner, as the engine books them
 */
record Verification(Layout layout, double predicted, Map<MemoryOwner, Long> counted) {
  private static final double GIB = 1L << 30;

  /** Runs the best plan that the engine runs. */
  static Verification of(PlanResult result) {
    Plan plan =
        result
            .bestRunnable()
            .orElseThrow(
                () ->
                    new DuokaException(
                        ErrorCode.CONFIG,
                        "--verify has nothing to run: this version runs none of the layouts that"
                            + " fit",
                        "Leave it out."));
    int length = result.request().job().sequenceLength();
    return new Verification(
        plan.layout(),
        plan.memory().allocated(),
        DryRun.count(result.request().shape().config(), plan.layout(), length));
  }

  private double total() {
    return counted.values().stream().mapToLong(Long::longValue).sum();
  }

  private double error() {
    return predicted / total() - 1;
  }

  String text() {
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "%nVerified by a run with shapes alone: %s%n    predicted %.2f GiB of tensors, counted"
                + " %.2f GiB: %+.1f %%%n",
            layout,
            predicted / GIB,
            total() / GIB,
            100 * error()));
    counted.forEach(
        (owner, bytes) ->
            text.append(
                String.format(Locale.ROOT, "    %-15s %8.2f GiB%n", owner.label(), bytes / GIB)));
    return text.toString();
  }

  ObjectNode json() {
    ObjectNode json = Json.object();
    json.put("description", layout.toString());
    json.put("predicted_gib", predicted / GIB);
    json.put("counted_gib", total() / GIB);
    json.put("error", error());
    ObjectNode owners = json.putObject("counted");
    counted.forEach((owner, bytes) -> owners.put(owner.label().replace(' ', '_'), bytes / GIB));
    return json;
  }
}
