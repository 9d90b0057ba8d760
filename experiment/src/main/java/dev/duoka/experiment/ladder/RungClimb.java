package dev.duoka.experiment.ladder;

import dev.duoka.base.ErrorCode;
import dev.duoka.experiment.arm.ArmSteps;
import dev.duoka.operations.watch.Comparison;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Climbs rung by rung, and remembers what the next one is compared with. */
final class RungClimb {
  /** Steps that are compared with the rung below. */
  static final int PARITY_STEPS = 8;

  private final LadderArms arms;
  private final LadderPlan plan;
  private final LadderLimits limits;
  private final Surroundings surroundings;
  private final Diagnosis diagnosis;
  private final Function<Optional<ParityLimits.Measured>, ParityLimits> parityLimits;
  private final int last;
  private boolean onCards;

  private @Nullable Below below;
  private @Nullable Base base;

  /** The rung below, if it holds the model. */
  private record Below(Rung rung, ArmSteps steps) {}

  /** The first rung that holds the model. */
  private record Base(Rung rung, StepSpeeds speeds) {}

  /**
   * A climb.
   *
   * @param parityLimits from what rounding was seen to do
   * @param last number of the last rung
   */
  RungClimb(
      LadderArms arms,
      LadderPlan plan,
      LadderLimits limits,
      Surroundings surroundings,
      Function<Optional<ParityLimits.Measured>, ParityLimits> parityLimits,
      int last) {
    this.arms = arms;
    this.plan = plan;
    this.limits = limits;
    this.surroundings = surroundings;
    this.diagnosis = new Diagnosis(surroundings, plan);
    this.parityLimits = parityLimits;
    this.last = last;
  }

  /** Whether no rank so far has computed on a card. */
  boolean isOnCpu() {
    return !onCards;
  }

  /** Tries a rung; each check begins when the one before was passed. */
  RungResult to(Rung rung) throws InterruptedException {
    Attempt attempt = new Attempt(rung);
    attempt.fault = attempt.climb();
    return attempt.result();
  }

  /** What is known of one rung so far. */
  private final class Attempt {
    private final Rung rung;
    private final List<String> notes = new ArrayList<>();
    private boolean held;
    private Optional<Parity> parity = Optional.empty();
    private Optional<Likeness> likeness = Optional.empty();
    private double bus = Double.NaN;
    private Optional<RungMemory> memory = Optional.empty();
    private Optional<RungSpeed> speed = Optional.empty();
    private Optional<Fault> fault = Optional.empty();

    Attempt(Rung rung) {
      this.rung = rung;
    }

    RungResult result() {
      return new RungResult(rung, held, parity, likeness, bus, memory, speed, notes, fault);
    }

    private String doing(String what) {
      return "rung " + rung.number() + " of " + last + " (" + rung.mesh() + "): " + what;
    }

    private String arm(String what) {
      return "rung-" + rung.number() + "-" + what;
    }

    Optional<Fault> climb() throws InterruptedException {
      LadderArms.Ended ended =
          arms.run(doing("parity"), arm("parity"), rung, plan.parity(rung), PARITY_STEPS);
      if (ended.doesNotFit()) {
        return doesNotFit(ended);
      }
      held = true;
      if (ended.failure().isPresent()) {
        return Optional.of(
            diagnosis.failed(Fault.Check.PARITY, rung, ended.failure().get(), onCards));
      }
      RungPlace place = RungPlace.read(ended.arm().run());
      onCards |= place.isOnCards();
      Optional<Fault> found = parity(ended.steps(), place);
      if (found.isEmpty() && place.isOnCards()) {
        arms.progress().reached(doing("looking at cards and links"), 0, 0);
        found = diagnosis.cards(place);
        if (found.isEmpty()) {
          found = links(place);
        }
      }
      return found.isPresent() ? found : speed(place);
    }

    private Optional<Fault> doesNotFit(LadderArms.Ended ended) throws InterruptedException {
      String why = ended.failure().orElseThrow().message();
      notes.add("does not hold the model: " + why);
      if (rung.ranks() > 1) {
        Optional<Fault> found = likeness(new RungPlace(List.of(), List.of(), "", Double.NaN));
        if (found.isPresent()) {
          return found;
        }
      }
      below = null;
      return rung.number() < last
          ? Optional.empty()
          : Optional.of(
              new Fault(
                  Fault.Check.MEMORY,
                  "the whole mesh does not hold the model",
                  List.of(
                      new Cause(
                          Cause.Kind.MEMORY, why, "./duoka plan finds layouts that hold it"))));
    }

    private Optional<Fault> parity(ArmSteps steps, RungPlace place) throws InterruptedException {
      Below other = below;
      below = new Below(rung, steps);
      if (rung.ranks() == 1) {
        return Optional.empty();
      }
      if (other == null) {
        return likeness(place);
      }
      Parity found =
          Parity.of(other.steps(), steps, PARITY_STEPS, parityLimits.apply(rounding(other)));
      parity = Optional.of(found);
      return found.broken().isEmpty()
          ? likeness(place)
          : Optional.of(diagnosis.parity(rung, other.rung(), found.broken().get(), place));
    }

    /** What the rung below differs from itself by in other micro-batches. */
    private Optional<ParityLimits.Measured> rounding(Below other) throws InterruptedException {
      Optional<List<String>> again = plan.rounding(other.rung());
      if (again.isEmpty()) {
        return Optional.empty();
      }
      LadderArms.Ended ended =
          arms.run(
              doing("what rounding does on the rung below"),
              arm("rounding"),
              other.rung(),
              again.get(),
              PARITY_STEPS);
      if (ended.failure().isPresent()) {
        notes.add("what rounding does was not measured: " + ended.failure().get().message());
        return Optional.empty();
      }
      return Optional.of(new ParityLimits.Measured(other.steps(), ended.steps()));
    }

    private Optional<Fault> likeness(RungPlace place) throws InterruptedException {
      arms.progress().reached(doing("parity of a small likeness"), 0, 0);
      Likeness found = surroundings.likeness(plan.mesh(rung));
      likeness = Optional.of(found);
      return found.holds() ? Optional.empty() : Optional.of(diagnosis.likeness(rung, found, place));
    }

    private Optional<Fault> links(RungPlace place) throws InterruptedException {
      if (rung.ranks() == 1 || place.sharesCards()) {
        return Optional.empty();
      }
      Exchanges exchanges = surroundings.exchanges(place);
      bus = exchanges.slowest().map(Exchanges.Line::bus).orElse(Double.NaN);
      return diagnosis.links(place, exchanges, limits.leastLink());
    }

    private Optional<Fault> speed(RungPlace place) throws InterruptedException {
      int steps = StepSpeeds.WARM_UP + limits.steps();
      LadderArms.Ended ended =
          arms.run(doing("memory and speed"), arm("speed"), rung, plan.speed(rung), steps);
      if (ended.failure().isPresent()) {
        return Optional.of(
            diagnosis.failed(
                ended.failure().get().code() == ErrorCode.OUT_OF_MEMORY
                    ? Fault.Check.MEMORY
                    : Fault.Check.SPEED,
                rung,
                ended.failure().get(),
                onCards));
      }
      Optional<Comparison> comparison = Comparison.read(ended.arm().run());
      memory = comparison.map(it -> RungMemory.of(it, place.isOnCards()));
      if (comparison.isEmpty()) { // what is not checked is said
        notes.add("nothing was predicted: neither memory nor speed was checked against that");
      }
      if (memory.isPresent() && !memory.get().findings().isEmpty()) {
        return Optional.of(Diagnosis.memory(memory.get()));
      }
      StepSpeeds speeds = StepSpeeds.of(ended.steps(), limits.steps());
      if (!speeds.areEnough()) {
        notes.add("too few steps were measured: see " + ended.arm().metrics());
        return Optional.empty();
      }
      RungSpeed found = speed(speeds, place, comparison);
      speed = Optional.of(found);
      if (comparison.isPresent() && found.ofPrediction().isEmpty()) {
        notes.add("no time of a step was predicted: its speed was not checked against one");
      }
      if (base == null) {
        base = new Base(rung, speeds);
      }
      return slow(found, place, comparison);
    }

    private RungSpeed speed(StepSpeeds speeds, RungPlace place, Optional<Comparison> comparison) {
      double predicted = comparison.map(it -> it.times().getFirst().predicted()).orElse(Double.NaN);
      double tokens = (double) plan.tokensPerCard() * rung.ranks();
      Base first = base;
      return new RungSpeed(
          tokens / speeds.tokensPerSecond(),
          predicted,
          speeds.tokensPerSecond(),
          predicted > 0 ? Optional.of(speeds.against(tokens / predicted)) : Optional.empty(),
          first == null || place.sharesCards()
              ? Optional.empty()
              : Optional.of(speeds.efficiency(rung.ranks(), first.speeds(), first.rung().ranks())));
    }

    private Optional<Fault> slow(RungSpeed found, RungPlace place, Optional<Comparison> comparison)
        throws InterruptedException {
      if (found.ofPrediction().filter(it -> it.isBelow(limits.leastSpeed())).isPresent()) {
        return Optional.of(
            diagnosis.speed(
                String.format(
                    Locale.ROOT,
                    "a step takes %.4f s, and %.4f were predicted: %s",
                    found.seconds(),
                    found.predicted(),
                    LadderText.share(found.ofPrediction().get())),
                place,
                comparison));
      }
      if (found.efficiency().filter(it -> it.isBelow(limits.leastEfficiency())).isPresent()) {
        return Optional.of(
            diagnosis.speed(
                "a card does little of what it does on the first rung that holds the model: "
                    + LadderText.share(found.efficiency().get()),
                place,
                comparison));
      }
      if (found.ofPrediction().filter(it -> it.isUnsureOf(limits.leastSpeed())).isPresent()
          || found.efficiency().filter(it -> it.isUnsureOf(limits.leastEfficiency())).isPresent()) {
        notes.add("too few steps to tell whether the speed is above its limit; give more --steps");
      }
      return Optional.empty();
    }
  }
}
