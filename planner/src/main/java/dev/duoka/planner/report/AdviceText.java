package dev.duoka.planner.report;

import static dev.duoka.planner.report.Numbers.format;

import dev.duoka.planner.advise.Advice;
import dev.duoka.planner.advise.AdviceRequest;
import dev.duoka.planner.advise.BriefComparison;
import dev.duoka.planner.advise.MachineAdvice;
import dev.duoka.planner.search.Plan;
import java.util.List;
import java.util.OptionalDouble;

/** Advice for a terminal. */
public final class AdviceText {
  private static final int SHOWN = 16;
  private static final int SHOWN_MISFITS = 8;

  private AdviceText() {}

  /** The whole report. */
  public static String of(Advice advice) {
    StringBuilder text = new StringBuilder();
    AdviceRequest request = advice.request();
    text.append(
        format(
            "%s: %s parameters, %s active; %s on %s tokens in sequences of %s%s%n",
            request.model(),
            Numbers.parameters((double) request.shape().parameters()),
            Numbers.parameters((double) request.shape().activeParameters()),
            request.task(),
            Numbers.whole((double) request.tokens()),
            Numbers.whole(request.sequenceLength()),
            request.budget().isPresent()
                ? "; budget " + Numbers.whole(request.budget().getAsDouble()) + " $"
                : ""));
    text.append(
        format(
            "Prices as of %s, of cards alone; ~ everything here is predicted. --catalogue overlays"
                + " your own.%n",
            advice.pricesAsOf()));
    fitting(text, advice.machines());
    misfits(text, advice.machines());
    brief(text, advice.brief());
    return text.toString();
  }

  private static void fitting(StringBuilder text, List<MachineAdvice> machines) {
    List<MachineAdvice> fitting = machines.stream().filter(MachineAdvice::fits).toList();
    if (fitting.isEmpty()) {
      text.append("\nThe job fits none of these machines.\n");
      return;
    }
    text.append(
        format(
            "%n%-22s %9s %10s %9s %10s %10s  %s%n",
            "machine", "tokens/s", "takes", "kWh", "rent $", "buy $", "how"));
    for (MachineAdvice advice : fitting.subList(0, Math.min(SHOWN, fitting.size()))) {
      Plan plan = advice.plan().orElseThrow();
      text.append(
          format(
              "%-22s %9s %10s %9s %10s %10s  %s%s%n",
              advice.machine().name(),
              Numbers.whole(plan.tokensPerSecond()),
              Numbers.duration(advice.hours() * 3600),
              Numbers.whole(advice.kilowattHours()),
              money(advice.rentUsd()),
              money(advice.buyUsd()),
              plan.layout(),
              (plan.runnable() ? "  (runs now)" : "")
                  + (advice.affordable() ? "" : "  (above the budget)")));
    }
    if (fitting.size() > SHOWN) {
      text.append(format("and %d more that are slower or dearer%n", fitting.size() - SHOWN));
    }
  }

  private static void misfits(StringBuilder text, List<MachineAdvice> machines) {
    List<MachineAdvice> misfits = machines.stream().filter(advice -> !advice.fits()).toList();
    if (misfits.isEmpty()) {
      return;
    }
    text.append("\nToo small:\n");
    for (MachineAdvice advice : misfits.subList(0, Math.min(SHOWN_MISFITS, misfits.size()))) {
      text.append(format("  %-22s %s%n", advice.machine().name(), advice.lacks()));
    }
    if (misfits.size() > SHOWN_MISFITS) {
      text.append(format("  and %d more%n", misfits.size() - SHOWN_MISFITS));
    }
  }

  private static void brief(StringBuilder text, BriefComparison brief) {
    text.append("\nOften said: ").append(BriefComparison.CLAIM).append(".\nThe model says:\n");
    for (BriefComparison.Row row : brief.rows()) {
      text.append(
          format(
              "  %-6s ~ %s against %s tokens/s: %.0f %% faster (4090: %s)%n",
              row.method(),
              Numbers.whole(row.dataCentre()),
              Numbers.whole(row.consumer()),
              100 * (row.ratio() - 1),
              row.consumerLayout()));
    }
    text.append(
        format(
            "  the A100 cost %s times as much to rent and %s times as much to buy%n",
            ratio(brief.rentRatio()), ratio(brief.buyRatio())));
    brief.why().forEach(reason -> text.append("  - ").append(reason).append('\n'));
  }

  private static String ratio(OptionalDouble value) {
    return value.isPresent() ? format("%.1f", value.getAsDouble()) : "an unknown number of";
  }

  private static String money(OptionalDouble value) {
    return value.isPresent() ? Numbers.whole(value.getAsDouble()) : "–";
  }
}
