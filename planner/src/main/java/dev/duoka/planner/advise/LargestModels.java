package dev.duoka.planner.advise;

import dev.duoka.base.Progress;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Machine;
import dev.duoka.layout.Method;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.layout.ProductFormat;
import dev.duoka.planner.search.Plan;
import dev.duoka.planner.search.PlanRequest;
import dev.duoka.planner.search.Planner;
import dev.duoka.planner.shape.ModelShape;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The largest of DeepSeek's published models that trains in full on machines of each size, as dry
 * runs count its memory.
 */
public final class LargestModels {
  /** A card of each usual memory: 24, 48, 80 and 141 GB. */
  private static final List<String> CARDS =
      List.of("RTX-4090-24G", "L40S-48G", "H100-80G-SXM", "H200-141G-SXM");

  private static final List<Integer> COUNTS = List.of(1, 2, 4, 8);

  /** What those are for that are no published model. */
  private static final String TINY = "tiny-";

  /** A weight and its gradient in 16 bits: what is on the cards wherever the states are. */
  private static final double LEAST_BYTES_OF_HOST_STATES = 4;

  /** With moments of 8 bits and no master weights. */
  private static final double LEAST_BYTES_OF_CARD_STATES = 6;

  private static final double GIB = 1L << 30;

  private final Catalogue catalogue;
  private final Planner planner;
  private final List<Published> largestFirst;

  /** A model by its preset's name. */
  private record Published(String name, ModelShape shape) {}

  /** Of the machines of a catalogue. */
  public LargestModels(Catalogue catalogue) {
    this.catalogue = catalogue;
    this.planner = new Planner(catalogue);
    this.largestFirst =
        Presets.names().stream()
            .filter(name -> !name.startsWith(TINY))
            .map(name -> new Published(name, ModelShape.of(Presets.named(name))))
            .sorted(
                Comparator.comparingLong((Published model) -> -model.shape().parameters())
                    .thenComparing(Published::name))
            .toList();
  }

  /** One, two, four and eight cards of 24, 48, 80 and 141 GB. */
  public List<Machine> usualMachines() {
    return CARDS.stream()
        .flatMap(card -> COUNTS.stream().map(count -> catalogue.machine(count + "x" + card)))
        .toList();
  }

  /**
   * For each machine two answers: with all states on its cards, and with states in host memory.
   * Takes seconds for each.
   *
   * @param sequence tokens of a sequence
   * @param task what a step's batch is for
   */
  public List<LargestModel> of(List<Machine> machines, int sequence, Task task, Progress progress) {
    List<LargestModel> all = new ArrayList<>();
    for (Machine machine : machines) {
      for (LargestModel.Home home : LargestModel.Home.values()) {
        progress.reached(machine.name(), all.size(), 2L * machines.size());
        all.add(of(machine, home, sequence, task));
      }
    }
    return all;
  }

  private LargestModel of(Machine machine, LargestModel.Home home, int sequence, Task task) {
    for (Published model : largestFirst) {
      if (mayFit(machine, home, model.shape())) {
        Optional<Plan> plan = best(machine, home, model, sequence, task);
        if (plan.isPresent()) {
          return new LargestModel(machine, home, model.name(), plan);
        }
      }
    }
    return new LargestModel(machine, home, "", Optional.empty());
  }

  /** By weights and what belongs to each alone: what cannot fit is not searched for. */
  private static boolean mayFit(Machine machine, LargestModel.Home home, ModelShape shape) {
    double least =
        home == LargestModel.Home.CARDS ? LEAST_BYTES_OF_CARD_STATES : LEAST_BYTES_OF_HOST_STATES;
    return least * shape.parameters() <= machine.card().memoryGib() * GIB * machine.gpus();
  }

  private Optional<Plan> best(
      Machine machine, LargestModel.Home home, Published model, int sequence, Task task) {
    int length = Math.min(sequence, model.shape().config().maxPositions());
    Machine where = home == LargestModel.Home.CARDS ? machine.withHostMemory(0) : machine;
    PlanRequest request =
        new PlanRequest(
            model.name(),
            model.shape(),
            where,
            new Job(
                length,
                Job.tokensPerStep(task.tokensPerStep(), length, machine.gpus()),
                Job.DEFAULT_IMBALANCE),
            Method.FULL,
            List.of(ProductFormat.halfPrecision(machine.card())),
            true,
            EngineTraits.DUOKA);
    return planner.best(request).filter(Plan::runnable);
  }
}
