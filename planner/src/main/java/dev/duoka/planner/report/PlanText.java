package dev.duoka.planner.report;

import static dev.duoka.planner.report.Numbers.GIB;
import static dev.duoka.planner.report.Numbers.format;

import dev.duoka.hardware.Machine;
import dev.duoka.hardware.MachineProfile;
import dev.duoka.layout.Precision;
import dev.duoka.planner.memory.MemoryEstimate;
import dev.duoka.planner.search.Change;
import dev.duoka.planner.search.Cost;
import dev.duoka.planner.search.Misfit;
import dev.duoka.planner.search.Plan;
import dev.duoka.planner.search.PlanRequest;
import dev.duoka.planner.search.PlanResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/** The result of a search for a terminal. */
public final class PlanText {
  private static final int SHOWN = 6;

  private PlanText() {}

  /** The whole report. */
  public static String of(PlanResult result) {
    StringBuilder text = new StringBuilder();
    head(text, result);
    if (result.plans().isEmpty()) {
      text.append("\nNothing fits.\n");
    } else {
      table(text, result.plans());
      Plan best = result.plans().getFirst();
      details(
          text,
          best,
          best.runnable() ? "The best" : "The best, which this version cannot run yet",
          result.request().machine());
      result
          .bestRunnable()
          .filter(plan -> !plan.equals(best))
          .ifPresent(
              plan ->
                  details(
                      text, plan, "The best that this version runs", result.request().machine()));
      pareto(text, result);
    }
    misfits(text, result);
    changes(text, result);
    rules(text, result);
    return text.toString();
  }

  private static void head(StringBuilder text, PlanResult result) {
    PlanRequest request = result.request();
    Machine machine = request.machine();
    text.append(
        format(
            "%s: %s parameters, %s active, on %s (%d × %.1f GiB, %s%s)%n",
            request.model(),
            Numbers.parameters((double) request.shape().parameters()),
            Numbers.parameters((double) request.shape().activeParameters()),
            machine.name(),
            machine.gpus(),
            machine.card().memoryGib(),
            machine.gpus() == 1 ? "alone" : machine.link(),
            machine.domain() < machine.gpus() ? " in groups of " + machine.domain() : ""));
    text.append(rates(result)).append('\n');
    text.append(
        format(
            "A step of %s tokens in sequences of %s, method %s. %s layouts considered, %s fit, %.2f"
                + " s.%n",
            Numbers.whole((double) request.job().tokensPerStep()),
            Numbers.whole(request.job().sequenceLength()),
            request.method(),
            Numbers.whole(result.searched()),
            Numbers.whole(result.feasible()),
            result.milliseconds() / 1e3));
    request
        .adapter()
        .ifPresent(
            adapter ->
                text.append(
                    format(
                        "The adapter: %s. It trains %s weights.%n",
                        AdapterFields.sentence(adapter),
                        Numbers.parameters((double) request.shape().adapted().count()))));
    text.append(
        "Numbers are = exact, m resting on measurements, ~ assumed. Memory is what the engine books"
            + " in a dry run\nof each layout that is shown; formulas only chose them. What this"
            + " version cannot run is estimated, and marked ~.\n");
  }

  /** What the times of the plans rest on. */
  private static String rates(PlanResult result) {
    PlanRequest request = result.request();
    Optional<MachineProfile> profile = request.machine().profile();
    if (profile.isEmpty()) {
      return "Times by the catalogue's rates; 'calibrate' measures a machine's.";
    }
    String title = profile.get().title();
    List<String> lacking = result.profileLacks();
    if (!lacking.isEmpty()) {
      return format(
          "Times by formulas: what 'calibrate' measured (%s) has no %s.",
          title, String.join(" and no ", lacking));
    }
    if (!result.plans().isEmpty() && result.plans().stream().noneMatch(it -> it.time().priced())) {
      return format(
          "Times by formulas: what 'calibrate' measured (%s) is for what this version runs.",
          title);
    }
    int measured = profile.get().cards().size();
    return "Times by what 'calibrate' measured: "
        + title
        + (request.machine().gpus() > measured
            ? format(
                ". Exchanges among more than %d %s were not measured, and are marked ~.",
                measured, measured == 1 ? "card" : "cards")
            : ".");
  }

  private static void table(StringBuilder text, List<Plan> plans) {
    text.append(
        format(
            "%n%3s %9s %9s %6s %6s %7s %7s %9s  %s%n",
            "", "tokens/s", "step", "MFU", "full", "GiB", "$/h", "$/B tok", "layout"));
    for (int i = 0; i < Math.min(SHOWN, plans.size()); i++) {
      row(text, format("%d", i + 1), plans.get(i));
    }
    if (plans.size() > SHOWN && plans.stream().limit(SHOWN).noneMatch(Plan::runnable)) {
      plans.stream().filter(Plan::runnable).findFirst().ifPresent(plan -> row(text, "▸", plan));
    }
    text.append(
        format(
            "    MFU is of the dense %s peak%s; it counts attention at its causal half, full as if"
                + " every token saw all others.%n",
            plans.getFirst().mfuPeak(),
            plans.getFirst().layout().method().isAdapter()
                ? ", without gradients of frozen weights"
                : ""));
    text.append(
        "    The order is that of time, but each further part (axis, ZeRO stage, recompute,"
            + " offload) must gain 0.4 %.\n");
  }

  private static void row(StringBuilder text, String name, Plan plan) {
    text.append(
        format(
            "%3s %9s %9s %6s %6s %7s %7s %9s  %s%s%n",
            name,
            mark(plan) + Numbers.whole(plan.tokensPerSecond()),
            mark(plan) + Numbers.duration(plan.time().total()),
            mark(plan) + format("%.1f%%", 100 * plan.mfuCausal()),
            mark(plan) + format("%.1f%%", 100 * plan.mfuFull()),
            mark(plan) + format("%.1f", plan.memory().total() / GIB),
            money(plan.cost().usdPerHour(), "%.2f"),
            perBillionTokens(plan),
            plan.layout(),
            notYet(plan.missing())));
  }

  /** What stands before every number of a layout that this version's engine cannot run. */
  private static String mark(Plan plan) {
    return plan.runnable() ? "" : "~";
  }

  /** What the engine lacks, beside a layout. */
  private static String notYet(List<String> missing) {
    return missing.isEmpty() ? "" : "  (not yet: " + String.join(", ", missing) + ")";
  }

  private static String perBillionTokens(Plan plan) {
    OptionalDouble usd = plan.cost().usdPerBillionTokens();
    return (usd.isPresent() ? mark(plan) : "") + money(usd, "%.0f");
  }

  private static String money(OptionalDouble value, String format) {
    return value.isPresent() ? format(format, value.getAsDouble()) : "–";
  }

  private static void details(StringBuilder text, Plan plan, String title, Machine machine) {
    text.append(format("%n%s: %s%n", title, plan.layout()));
    memory(text, plan.memory(), machine);
    text.append(
        format(
            "  time    %s a step; %s %s to %s%n",
            Numbers.duration(plan.time().total()),
            plan.time().priced() ? "by what was measured" : "published runs of this kind were at",
            Numbers.duration(plan.time().low()),
            Numbers.duration(plan.time().high())));
    plan.time()
        .seconds()
        .forEach(
            (cause, figure) -> {
              if (figure.value() > 0) {
                double share = figure.value() / plan.time().total();
                text.append(
                    format(
                        "    %-15s %s %9s %3.0f %% %s%n",
                        cause,
                        figure.basis().sign(),
                        Numbers.duration(figure.value()),
                        100 * share,
                        Bars.share(share)));
              }
            });
    if (!plan.time().unmeasured().isEmpty()) {
      text.append(
          format(
              "  note    not measured on such a machine, and as far off as formulas may be: %s%n",
              String.join(", ", plan.time().unmeasured().stream().map(Object::toString).toList())));
    }
    cost(text, plan.cost());
    for (String reason : plan.why()) {
      text.append("  why     ").append(reason).append('\n');
    }
    if (!plan.runnable()) {
      text.append("  not yet ")
          .append(String.join(", ", plan.missing()))
          .append(": this version's engine cannot run it\n");
    }
  }

  private static void memory(StringBuilder text, MemoryEstimate memory, Machine machine) {
    double whole = machine.card().memoryGib() * GIB;
    text.append(
        format(
            "  memory  %s %.1f of %.1f GiB at the step's peak%s, %s%n",
            Bars.stacked(memory.bytes(), whole),
            memory.total() / GIB,
            machine.card().memoryGib(),
            memory.stage() > 0 ? ", stage " + memory.stage() : "",
            switch (memory.source()) {
              case DRY_RUN -> "counted by a dry run";
              case CLOSED_FORM -> "estimated by formulas";
            }));
    memory
        .bytes()
        .forEach(
            (owner, figure) -> {
              if (figure.value() > 0) {
                text.append(
                    format(
                        "    %-15s %s %7.2f GiB%n",
                        owner, figure.basis().sign(), figure.value() / GIB));
              }
            });
    if (memory.hostBytes() > 0) {
      text.append(
          format(
              "    host memory     %s %7.0f GiB of %s %.0f%n",
              switch (memory.source()) {
                case DRY_RUN -> "=";
                case CLOSED_FORM -> "~";
              },
              memory.hostBytes() / GIB,
              machine.host().basis().sign(),
              machine.host().memoryGib()));
    }
  }

  private static void cost(StringBuilder text, Cost cost) {
    text.append(
        format(
            "  cost    rent %s $/h, %s $ per billion tokens; cards cost %s $ to buy; %.1f kW%n",
            money(cost.usdPerHour(), "%.2f"),
            money(cost.usdPerBillionTokens(), "%.0f"),
            money(cost.usdToBuy(), "%,.0f"),
            cost.kilowatts()));
  }

  private static void pareto(StringBuilder text, PlanResult result) {
    text.append("\nNo other is better in time, memory and cost together than these")
        .append(result.paretoCut() ? "; slower ones that need less are left out:\n" : ":\n");
    for (Plan plan : result.pareto()) {
      text.append(
          format(
              "    %9s %8s GiB %8s $/B tok  %d GPUs: %s%s%n",
              mark(plan) + Numbers.duration(plan.time().total()),
              mark(plan) + format("%.1f", plan.memory().total() / GIB),
              perBillionTokens(plan),
              plan.layout().gpus(),
              plan.layout(),
              notYet(plan.missing())));
    }
  }

  /** Less than a tenth of a GiB in MiB, so that nothing is said to lack 0.0 GiB. */
  private static String lack(double gib) {
    return gib < 0.1 ? format("%.0f MiB", Math.ceil(gib * 1024)) : format("%.1f GiB", gib);
  }

  private static String lacks(Misfit misfit) {
    String mark = misfit.estimated() ? "~" : "";
    List<String> parts = new ArrayList<>();
    if (misfit.deviceGib() > 0) {
      parts.add(mark + lack(misfit.deviceGib()) + " on each card");
    }
    if (misfit.hostGib() > 0) {
      parts.add(mark + format("%.0f GiB of host memory", misfit.hostGib()));
    }
    return String.join(" and ", parts);
  }

  private static void misfits(StringBuilder text, PlanResult result) {
    if (result.misfits().isEmpty()) {
      return;
    }
    text.append(
        result.plans().isEmpty() ? "\nNearest to fitting:\n" : "\nNearest that do not fit:\n");
    result
        .misfits()
        .forEach(
            misfit ->
                text.append(
                    format(
                        "    lacks %s: %s%s%n",
                        lacks(misfit), misfit.layout(), notYet(misfit.missing()))));
  }

  private static void changes(StringBuilder text, PlanResult result) {
    if (!result.changes().isEmpty()) {
      text.append(format("%n%s with any one of these changes:%n", asked(result)));
      result
          .changes()
          .forEach(
              change ->
                  text.append(
                      format(
                          "    %s%s%n",
                          change.change(),
                          change
                              .plan()
                              .map(
                                  plan ->
                                      format(
                                          ": %s%s tokens/s (%s)%s",
                                          mark(plan),
                                          Numbers.whole(plan.tokensPerSecond()),
                                          plan.layout(),
                                          notYet(plan.missing())))
                              .orElse(""))));
    }
  }

  /** What the best plan does not do, and would with a change. */
  private static String asked(PlanResult result) {
    if (result.plans().isEmpty()) {
      return "It fits";
    }
    if (result.bestRunnable().isEmpty() && result.changes().stream().allMatch(Change::runnable)) {
      return "This version runs it";
    }
    Precision asked = result.request().precisions().getFirst();
    return result.plans().getFirst().layout().precision() == asked
        ? "It fits without host memory"
        : "It fits in " + asked;
  }

  private static void rules(StringBuilder text, PlanResult result) {
    if (!result.rules().isEmpty()) {
      text.append("\nRules of thumb:\n");
      result
          .rules()
          .forEach(
              rule ->
                  text.append(
                      format(
                          "    %s %s: %s%n",
                          rule.agrees() ? "agrees " : "differs", rule.rule(), rule.reason())));
    }
  }
}
