package dev.duoka.experiment.ladder;

import dev.duoka.base.ByteSize;
import dev.duoka.operations.run.WorkerFolder;
import dev.duoka.operations.watch.Comparison;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Finds what is behind a fault: it lets the rung's ranks exchange, tests its mesh, looks at cards.
 */
final class Diagnosis {
  private static final int NAMED = 3;

  /** Seconds of a step by which a part of it must be longer to be named, as a share of the step. */
  private static final double WORTH_NAMING = 0.05;

  private final Surroundings surroundings;
  private final LadderPlan plan;

  Diagnosis(Surroundings surroundings, LadderPlan plan) {
    this.surroundings = surroundings;
    this.plan = plan;
  }

  /** Of losses or norms that are not those of the rung below. */
  Fault parity(Rung rung, Rung below, Parity.Broken broken, RungPlace place)
      throws InterruptedException {
    String reason =
        String.format(
            Locale.ROOT,
            "step %d on %s has a %s of %.9g, and on %s of %.9g: they differ by more than %.1e",
            broken.step(),
            rung.mesh(),
            broken.what(),
            broken.above(),
            below.mesh(),
            broken.below(),
            broken.limit());
    List<Cause> causes = new ArrayList<>(wrongExchanges(place));
    Likeness likeness = surroundings.likeness(plan.mesh(rung));
    if (!likeness.holds()) {
      causes.add(ofLikeness(rung, likeness));
    }
    causes.add(
        new Cause(
            Cause.Kind.AXIS,
            "what has grown is " + axes(rung) + "; " + firstSeen(broken),
            next(likeness, place)));
    return new Fault(Fault.Check.PARITY, reason, causes);
  }

  private static String next(Likeness likeness, RungPlace place) {
    String other =
        place.isOnCards()
            ? "Climb with --set parallel.collectives=copies: is it the transport?"
            : "";
    String size =
        likeness.holds()
            ? " The small likeness of the run holds on this mesh ("
                + likeness.work()
                + "), so it is the model's size, its precision or its data: climb with --set"
                + " training.precision=fp32"
            : other.isEmpty() ? "See what is said of collectives above" : "";
    return (other + size).strip();
  }

  /** In which part of a step the first difference arises. */
  private static String firstSeen(Parity.Broken broken) {
    if (broken.step() == 1) {
      return broken.what() == Parity.What.LOSS
          ? "the very first loss differs, so it is the forward pass, or the ranks do not begin with"
              + " the same weights"
          : "the first loss is the same and its gradient is not, so it is the backward pass or the"
              + " sum of gradients";
    }
    return broken.what() == Parity.What.LOSS
        ? "gradients before were the same in norm, so it is the update of the weights, or gradients"
            + " that are wrong in few of them"
        : "it appears after updates, so few of the gradients are wrong, or the update is";
  }

  /** Of a small likeness of the run that differs from one rank, or could not be tried. */
  Fault likeness(Rung rung, Likeness likeness, RungPlace place) throws InterruptedException {
    List<Cause> causes = new ArrayList<>(wrongExchanges(place));
    causes.add(ofLikeness(rung, likeness));
    return new Fault(
        Fault.Check.PARITY,
        "a small likeness of the run does not compute on " + rung.mesh() + " what one rank does",
        causes);
  }

  private static Cause ofLikeness(Rung rung, Likeness likeness) {
    if (likeness.differing().isEmpty()) {
      return new Cause(
          Cause.Kind.FAILURE,
          "its small likeness could not be tried: " + likeness.work(),
          "./duoka selftest says more");
    }
    return new Cause(
        Cause.Kind.COLLECTIVE,
        named(likeness.differing())
            + " differ in a small likeness; what its ranks exchange there: "
            + String.join(", ", exchanged(rung, likeness)),
        "./duoka selftest shows all that differs and every exchange");
  }

  /** Tensors first: they say more than the norms that they spoil. */
  private static String named(List<String> differing) {
    List<String> sorted =
        differing.stream()
            .sorted(Comparator.comparing(name -> !name.startsWith("gradient of ")))
            .toList();
    return String.join(", ", sorted.subList(0, Math.min(NAMED, sorted.size())))
        + (sorted.size() > NAMED ? " and " + (sorted.size() - NAMED) + " more" : "");
  }

  /** What is exchanged along the axes that the rung below has shorter; else all that is. */
  private static List<String> exchanged(Rung rung, Likeness likeness) {
    List<String> along =
        likeness.exchanged().stream()
            .filter(each -> rung.grown().stream().anyMatch(each::contains))
            .toList();
    return along.isEmpty() ? likeness.exchanged() : along;
  }

  private List<Cause> wrongExchanges(RungPlace place) throws InterruptedException {
    if (place.devices().size() < 2) {
      return List.of();
    }
    Exchanges exchanges = surroundings.exchanges(place);
    List<Cause> causes = new ArrayList<>();
    exchanges.wrongCollectives().forEach(line -> causes.add(wrong(line, place)));
    exchanges
        .failure()
        .ifPresent(
            why ->
                causes.add(
                    new Cause(
                        Cause.Kind.COLLECTIVE,
                        "the ranks of this rung could not exchange: " + why,
                        "Try ./duoka bench comm with other --collectives")));
    return causes;
  }

  private static Cause wrong(Exchanges.Line line, RungPlace place) {
    return new Cause(
        Cause.Kind.COLLECTIVE,
        line.name()
            + " of "
            + ByteSize.text(line.bytes())
            + " among "
            + String.join(", ", place.devices())
            + " gives a wrong result: "
            + line.wrong().orElse(""),
        place.isOnCards()
            ? "Set parallel.collectives to another one; ./duoka doctor looks for links that damage"
                + " data"
            : "This is a fault of duoka or of this machine's memory: ./duoka bench comm --device"
                + " cpu shows it alone");
  }

  /** Of cards that are not the rung's own; empty where all of them rest. */
  Optional<Fault> cards(RungPlace place) throws InterruptedException {
    List<BusyCard> busy = surroundings.busy(place);
    return busy.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Fault(
                Fault.Check.CARDS,
                "what is measured on this rung would be the work of two programs",
                busy.stream().map(BusyCard::cause).toList()));
  }

  /** Of exchanges that are wrong, or slower than their links; empty where they are neither. */
  Optional<Fault> links(RungPlace place, Exchanges exchanges, double leastShare)
      throws InterruptedException {
    if (exchanges.failure().isPresent()) {
      List<Cause> causes = new ArrayList<>(surroundings.machine().causes());
      causes.add(
          new Cause(
              Cause.Kind.FAILURE,
              exchanges.failure().get(),
              "Try ./duoka bench comm with other --collectives"));
      return Optional.of(
          new Fault(Fault.Check.LINKS, "the ranks of this rung could not exchange", causes));
    }
    if (!exchanges.wrongCollectives().isEmpty()) {
      Exchanges.Line first = exchanges.wrongCollectives().getFirst();
      return Optional.of(
          new Fault(
              Fault.Check.LINKS,
              first.name() + " gives a wrong result",
              exchanges.wrongCollectives().stream().map(line -> wrong(line, place)).toList()));
    }
    Exchanges.Line slowest = exchanges.slowest().orElse(null);
    if (slowest == null || !(slowest.bus() < leastShare * place.linkRate())) {
      return Optional.empty();
    }
    String reason =
        String.format(
            Locale.ROOT,
            "%s of %s among %s carries %.1f GB/s on its busiest link, and %s should carry %.0f",
            slowest.name(),
            ByteSize.text(slowest.bytes()),
            String.join(", ", place.devices()),
            slowest.bus(),
            place.link(),
            place.linkRate());
    List<Cause> causes = new ArrayList<>(surroundings.machine().causes());
    causes.add(
        new Cause(
            Cause.Kind.COLLECTIVE,
            "the slowest collective of this rung is " + slowest.name(),
            "./duoka bench comm compares it with every other transport of this machine"));
    return Optional.of(new Fault(Fault.Check.LINKS, reason, causes));
  }

  /** Of memory that is not as it was predicted. */
  static Fault memory(RungMemory memory) {
    return new Fault(
        Fault.Check.MEMORY,
        String.format(
            Locale.ROOT,
            "the fullest rank was to hold %s, and holds %s",
            ByteSize.text((long) memory.predicted()),
            ByteSize.text((long) memory.measured())),
        memory.findings().stream()
            .map(
                text ->
                    new Cause(
                        Cause.Kind.MEMORY,
                        text,
                        "./duoka bench memory RUN.yaml compares it by owner"))
            .toList());
  }

  /** Of an arm that ended before its steps. */
  Fault failed(Fault.Check check, Rung rung, WorkerFolder.Failure failure, boolean onCards)
      throws InterruptedException {
    List<Cause> causes = new ArrayList<>();
    if (onCards) {
      causes.addAll(surroundings.machine().causes());
    }
    causes.add(
        new Cause(
            Cause.Kind.FAILURE, failure.message(), "./duoka diagnose reads the output of its arm"));
    return new Fault(check, rung.mesh() + " does not train: " + failure.code(), causes);
  }

  /** Of steps that are slower than they should be. */
  Fault speed(String reason, RungPlace place, Optional<Comparison> comparison)
      throws InterruptedException {
    List<Cause> causes = new ArrayList<>();
    surroundings.busy(place).forEach(card -> causes.add(card.cause()));
    if (place.isOnCards()) {
      causes.addAll(surroundings.machine().causes());
    }
    comparison.ifPresent(it -> causes.addAll(times(it)));
    return new Fault(Fault.Check.SPEED, reason, causes);
  }

  /** Parts of a step that took longer than they were predicted to, the worst first. */
  private static List<Cause> times(Comparison comparison) {
    double step = comparison.times().getFirst().measured();
    return comparison.times().stream()
        .filter(time -> !time.kind().equals("step") && excess(time) > WORTH_NAMING * step)
        .sorted(Comparator.comparingDouble(Diagnosis::excess).reversed())
        .limit(NAMED)
        .map(Diagnosis::cause)
        .toList();
  }

  private static double excess(Comparison.Time time) {
    double predicted = Double.isNaN(time.predicted()) ? 0 : time.predicted();
    boolean comparable = time.kind().equals("group") || !Double.isNaN(time.predicted());
    return comparable ? time.measured() - predicted : Double.NaN;
  }

  private static Cause cause(Comparison.Time time) {
    boolean exchange = time.kind().equals("group");
    String predicted =
        Double.isNaN(time.predicted())
            ? "nothing was predicted"
            : String.format(Locale.ROOT, "%.4f were predicted", time.predicted());
    return new Cause(
        Cause.Kind.TIME,
        String.format(
            Locale.ROOT,
            exchange
                ? "nothing is done but exchange along %s for %.4f s of a step; %s"
                : "%s takes %.4f s of a step; %s",
            time.name(),
            time.measured(),
            predicted),
        exchange
            ? "./duoka bench comm measures what carries it"
            : "./duoka profile shows what it is made of");
  }

  private static String axes(Rung rung) {
    return String.join(" and ", rung.grown());
  }
}
