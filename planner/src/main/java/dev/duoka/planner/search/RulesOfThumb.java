package dev.duoka.planner.search;

import dev.duoka.layout.Layout;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.planner.layout.ProductFormat;
import dev.duoka.planner.memory.MemoryEstimate;
import dev.duoka.planner.memory.Owner;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;

/** Rules of thumb that are often quoted, beside what the model says of this case. */
final class RulesOfThumb {
  private static final double GIB = 1L << 30;
  private static final double SMALL = 10e9;
  private static final double LARGE = 100e9;

  /** How far a measured percentage may be from the rule's. */
  private static final double NEAR = 5;

  /** Elements of half the size do not make more of a difference than this. */
  private static final double TWICE = 2.2;

  private final PlanRequest request;
  private final Evaluator evaluator;
  private final List<Candidate> ranked;
  private final Candidate best;

  RulesOfThumb(PlanRequest request, Evaluator evaluator, List<Candidate> ranked) {
    this.request = request;
    this.evaluator = evaluator;
    this.ranked = ranked;
    this.best = ranked.getFirst();
  }

  List<RuleCheck> check() {
    List<RuleCheck> checks = new ArrayList<>();
    checks.add(parallelism());
    checks.add(recompute());
    checks.add(halfPrecision());
    return checks;
  }

  private RuleCheck parallelism() {
    double size = request.shape().parameters();
    if (size < SMALL) {
      return layoutRule(
          "below 10 B parameters: data parallel",
          layout -> layout.data() == layout.gpus() && layout.expert() == 1);
    }
    if (size <= LARGE) {
      return layoutRule(
          "10 B to 100 B parameters: data, tensor and pipeline parallel with ZeRO 3",
          layout ->
              layout.data() > 1
                  && layout.tensor() > 1
                  && layout.pipeline() > 1
                  && layout.zero() == 3);
    }
    return layoutRule("above 100 B parameters: expert parallel", layout -> layout.expert() > 1);
  }

  private RuleCheck layoutRule(String rule, Predicate<Layout> follows) {
    if (follows.test(best.layout())) {
      return new RuleCheck(rule, true, "the best plan is one");
    }
    Optional<Candidate> nearest =
        ranked.stream()
            .filter(candidate -> follows.test(candidate.layout()))
            .min(Comparator.comparingDouble(Candidate::seconds));
    String reason =
        nearest
            .map(
                other ->
                    String.format(
                        Locale.ROOT,
                        "the best such plan (%s) takes %.2f s a step, the best of all %.2f s",
                        other.layout(),
                        other.seconds(),
                        best.seconds()))
            .orElse(
                request.machine().gpus() == 1
                    ? "one card has nothing to be parallel with"
                    : request.shape().hasExperts() || !rule.contains("expert")
                        ? "no such layout fits this machine"
                        : "this model has no experts");
    return new RuleCheck(rule, false, reason);
  }

  private RuleCheck recompute() {
    String rule = "recomputing activations: 30 % less memory for 15 % more time";
    Layout without = best.layout().with(Recompute.NONE, best.layout().precision());
    StringBuilder reason = new StringBuilder();
    boolean agrees = false;
    for (Recompute kind : List.of(Recompute.SELECTIVE, Recompute.FULL)) {
      Layout layout = best.layout().with(kind, best.layout().precision());
      double memory = saved(without, layout);
      double time = 100 * (evaluator.seconds(layout) / evaluator.seconds(without) - 1);
      agrees |= Math.abs(memory - 30) <= NEAR && Math.abs(time - 15) <= NEAR;
      reason
          .append(reason.isEmpty() ? "" : "; ")
          .append(
              String.format(
                  Locale.ROOT,
                  "%s recompute %s %.0f %% for %.0f %% of time",
                  kind,
                  memory < 0 ? "takes" : "saves",
                  Math.abs(memory),
                  time));
    }
    return new RuleCheck(
        rule,
        agrees,
        reason + (agrees ? "" : ", for it spares activations only, not the states beside them"));
  }

  private RuleCheck halfPrecision() {
    String rule = "16 bits: 40 % less memory than fp32";
    Precision half = ProductFormat.halfPrecision(request.machine().card());
    Layout wide = best.layout().with(best.layout().recompute(), Precision.FP32);
    Layout narrow = best.layout().with(best.layout().recompute(), half);
    double memory = saved(wide, narrow);
    MemoryEstimate before = evaluator.memory(wide);
    MemoryEstimate after = evaluator.memory(narrow);
    boolean agrees = Math.abs(memory - 40) <= NEAR;
    String numbers =
        String.format(
            Locale.ROOT,
            "%s needs %.0f %% %s here (%.1f GiB against %.1f%s)",
            half,
            Math.abs(memory),
            memory < 0 ? "more" : "less",
            after.total() / GIB,
            before.total() / GIB,
            evaluator.fit(wide, evaluator.demand(wide)) == Fit.FITS ? "" : ", which would not fit");
    double wideStep = ofStep(before);
    double narrowStep = ofStep(after);
    String causes =
        String.format(
            Locale.ROOT,
            ": what a step holds goes from %.1f to %.1f GiB%s, and the states go from %.1f to %.1f"
                + " GiB, since gradients, master weights and moments keep their bits",
            wideStep / GIB,
            narrowStep / GIB,
            // Half the bytes of an element explain twice as much.
            wideStep > TWICE * narrowStep
                ? ", since attention in fp32 keeps the scores of all pairs of tokens"
                : "",
            before.states() / GIB,
            after.states() / GIB);
    return new RuleCheck(rule, agrees, agrees ? numbers : numbers + causes);
  }

  private static double ofStep(MemoryEstimate memory) {
    return memory.of(Owner.ACTIVATIONS) + memory.of(Owner.LOGITS) + memory.of(Owner.TEMPORARIES);
  }

  private double saved(Layout before, Layout after) {
    return 100 * (1 - evaluator.memory(after).total() / evaluator.memory(before).total());
  }
}
