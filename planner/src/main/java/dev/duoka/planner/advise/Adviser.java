package dev.duoka.planner.advise;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.hardware.Card;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Machine;
import dev.duoka.layout.Method;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.layout.ProductFormat;
import dev.duoka.planner.search.Misfit;
import dev.duoka.planner.search.Plan;
import dev.duoka.planner.search.PlanRequest;
import dev.duoka.planner.search.Planner;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/** Ranks machines by what they achieve on a job. */
public final class Adviser {
  private static final List<Integer> USUAL_COUNTS = List.of(1, 2, 4, 8);

  private final Catalogue catalogue;
  private final Planner planner;

  /** An adviser that knows the cards and prices of a catalogue. */
  public Adviser(Catalogue catalogue) {
    this.catalogue = catalogue;
    this.planner = new Planner(catalogue);
  }

  /** The machines of a list such as {@code 8xH100,4xRTX4090}. */
  public List<Machine> machines(String list) {
    List<Machine> machines = new ArrayList<>();
    for (String name : list.split("[,;]")) {
      if (!name.isBlank()) {
        machines.add(catalogue.machine(name));
      }
    }
    if (machines.isEmpty()) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "'" + list + "' names no machine",
          "Write for example 8xH100,4xRTX4090.");
    }
    return machines.stream().distinct().toList();
  }

  /** One, two, four and eight of every card that this version trains on and has a price for. */
  public List<Machine> usualMachines() {
    List<Machine> machines = new ArrayList<>();
    for (Card card : catalogue.cards()) {
      if (card.isNvidia() && (card.rentPrice().isPresent() || card.buyPrice().isPresent())) {
        USUAL_COUNTS.forEach(count -> machines.add(catalogue.machine(card, count)));
      }
    }
    return machines;
  }

  /** What the machines achieve: those that fit and can be afforded first, fastest first. */
  public Advice advise(AdviceRequest request) {
    List<MachineAdvice> machines =
        new ArrayList<>(
            request.machines().parallelStream().map(machine -> advise(request, machine)).toList());
    machines.sort(
        Comparator.comparing((MachineAdvice advice) -> !advice.fits())
            .thenComparing(advice -> !advice.affordable())
            .thenComparingDouble(MachineAdvice::hours)
            .thenComparing(advice -> advice.machine().name()));
    return new Advice(request, machines, catalogue.asOf());
  }

  private MachineAdvice advise(AdviceRequest request, Machine machine) {
    Optional<Plan> plan = Optional.empty();
    for (Method method : request.task().methods()) {
      plan = planner.best(planRequest(request, machine, method));
      if (plan.isPresent()) {
        break;
      }
    }
    OptionalDouble buy = machine.buyPrice();
    if (plan.isEmpty()) {
      return new MachineAdvice(
          machine,
          plan,
          0,
          0,
          OptionalDouble.empty(),
          buy,
          false,
          false,
          false,
          lacks(request, machine));
    }
    double hours = request.tokens() / plan.get().tokensPerSecond() / 3600;
    OptionalDouble rent =
        machine.rentPerHour().isPresent()
            ? OptionalDouble.of(machine.rentPerHour().getAsDouble() * hours)
            : OptionalDouble.empty();
    double kilowattHours = plan.get().cost().kilowatts() * hours;
    double budget = request.budget().orElse(Double.POSITIVE_INFINITY);
    boolean toRent = rent.isPresent() && rent.getAsDouble() <= budget;
    boolean toBuy = buy.isPresent() && buy.getAsDouble() <= budget;
    boolean affordable =
        request.budget().isEmpty()
            || switch (request.payment()) {
              case EITHER -> toRent || toBuy;
              case RENT -> toRent;
              case BUY -> toBuy;
            };
    return new MachineAdvice(
        machine, plan, hours, kilowattHours, rent, buy, affordable, toRent, toBuy, "");
  }

  private String lacks(AdviceRequest request, Machine machine) {
    Method last = request.task().methods().getLast();
    Optional<Misfit> nearest = planner.nearestMisfit(planRequest(request, machine, last));
    return nearest
        .map(
            misfit ->
                String.format(
                    Locale.ROOT,
                    "%s lacks at least %.1f GiB on each card%s",
                    last,
                    misfit.deviceGib(),
                    misfit.hostGib() > 0
                        ? String.format(
                            Locale.ROOT, " and %.0f GiB of host memory", misfit.hostGib())
                        : ""))
        .orElse("no layout divides this job over so many cards");
  }

  private static PlanRequest planRequest(AdviceRequest request, Machine machine, Method method) {
    int length = request.sequenceLength();
    long perStep = Job.tokensPerStep(request.task().tokensPerStep(), length, machine.gpus());
    return new PlanRequest(
        request.model(),
        request.shape(),
        machine,
        new Job(length, perStep, Job.DEFAULT_IMBALANCE),
        method,
        List.of(ProductFormat.halfPrecision(machine.card())),
        true,
        EngineTraits.DUOKA);
  }
}
