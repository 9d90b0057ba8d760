package dev.duoka.planner.report;

import static dev.duoka.planner.report.Numbers.format;

import dev.duoka.planner.advise.Advice;
import dev.duoka.planner.advise.AdviceRequest;
import dev.duoka.planner.advise.MachineAdvice;
import dev.duoka.planner.advise.Payment;
import dev.duoka.planner.search.Plan;
import java.util.List;
import java.util.OptionalDouble;

/** Advice for a terminal. */
public final class AdviceText {
  private static final int SHOWN = 8;
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
    fitting(text, advice);
    misfits(text, advice.machines());
    return text.toString();
  }

  private static void fitting(StringBuilder text, Advice advice) {
    List<MachineAdvice> fitting = advice.machines().stream().filter(MachineAdvice::fits).toList();
    if (fitting.isEmpty()) {
      text.append("\nThe job fits none of these machines.\n");
      return;
    }
    if (advice.request().budget().isEmpty()) {
      section(text, "", fitting);
      return;
    }
    Payment payment = advice.request().payment();
    if (payment != Payment.RENT) {
      section(
          text,
          "To buy within the budget",
          fitting.stream().filter(MachineAdvice::affordableToBuy).toList());
    }
    if (payment != Payment.BUY) {
      section(
          text,
          "To rent for the job within the budget",
          fitting.stream().filter(MachineAdvice::affordableToRent).toList());
    }
    List<MachineAdvice> dear = fitting.stream().filter(it -> !it.affordable()).toList();
    if (!dear.isEmpty()) {
      section(text, "Above the budget, or without a price", dear);
    }
  }

  /** What runs now first, then what waits for a part of the engine; fastest first in each. */
  private static void section(StringBuilder text, String title, List<MachineAdvice> machines) {
    text.append('\n');
    if (!title.isEmpty()) {
      text.append(title).append(machines.isEmpty() ? ": nothing.\n" : ":\n");
    }
    if (machines.isEmpty()) {
      return;
    }
    text.append(
        format(
            "%-22s %9s %10s %9s %10s %10s  %s%n",
            "machine", "tokens/s", "takes", "kWh", "rent $", "buy $", "how"));
    rows(text, "runs now", machines.stream().filter(AdviceText::runs).toList());
    rows(
        text,
        "in layouts that this version cannot run yet",
        machines.stream().filter(advice -> !runs(advice)).toList());
  }

  private static boolean runs(MachineAdvice advice) {
    return advice.plan().orElseThrow().runnable();
  }

  private static void rows(StringBuilder text, String title, List<MachineAdvice> machines) {
    if (machines.isEmpty()) {
      return;
    }
    text.append(" ").append(title).append('\n');
    for (MachineAdvice advice : machines.subList(0, Math.min(SHOWN, machines.size()))) {
      Plan plan = advice.plan().orElseThrow();
      text.append(
          format(
              "%-22s %9s %10s %9s %10s %10s  %s%n",
              advice.machine().name(),
              Numbers.whole(plan.tokensPerSecond()),
              Numbers.duration(advice.hours() * 3600),
              Numbers.whole(advice.kilowattHours()),
              money(advice.rentUsd()),
              money(advice.buyUsd()),
              plan.layout()));
    }
    if (machines.size() > SHOWN) {
      text.append(format("and %d more that are slower%n", machines.size() - SHOWN));
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

  private static String money(OptionalDouble value) {
    return value.isPresent() ? Numbers.whole(value.getAsDouble()) : "–";
  }
}
