package dev.duoka.planner.search;

import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Machine;
import dev.duoka.hardware.NumberFormat;
import dev.duoka.layout.Layout;
import dev.duoka.layout.Offload;
import dev.duoka.layout.Precision;
import dev.duoka.planner.layout.EngineSupport;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.ProductFormat;
import dev.duoka.planner.layout.Stage;
import dev.duoka.planner.memory.BookedMemory;
import dev.duoka.planner.memory.MemoryDemand;
import dev.duoka.planner.memory.MemoryEstimate;
import dev.duoka.planner.memory.MemoryModel;
import dev.duoka.planner.time.LinkRates;
import dev.duoka.planner.time.PricedSteps;
import dev.duoka.planner.time.StepTime;
import dev.duoka.planner.time.TimeModel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Memory, time and cost of single layouts. One thread. */
final class Evaluator {
  private static final double GIB = 1L << 30;

  /** The part of host memory that plans may fill; the rest is the system's and the data's. */
  private static final double HOST_SHARE = 0.85;

  /** The part of a card's memory that plans may fill; predictions are 1.6 % off at worst. */
  private static final double DEVICE_SHARE = 0.98;

  private final PlanRequest request;

  /** How far a closed form may be off for a layout that a dry run decides on: it only prunes. */
  private static final double PRUNING_SLACK = 0.08;

  private final MemoryModel memory;
  private final BookedMemory booked;
  private final TimeModel time;
  private final Map<Integer, List<Stage>> stages = new HashMap<>();
  private final Map<Map.Entry<Integer, Integer>, List<Stage>> held = new HashMap<>();

  Evaluator(
      PlanRequest request, Catalogue catalogue, BookedMemory booked, Optional<PricedSteps> priced) {
    this.request = request;
    this.booked = booked;
    memory = new MemoryModel(request.shape(), request.job(), request.engine());
    time =
        new TimeModel(
            request.shape(),
            request.job(),
            request.engine(),
            new LinkRates(request.machine(), catalogue),
            priced.orElse(null));
  }

  /**
   * The memory of a rank: counted by a dry run where the engine runs the layout, estimated by
   * closed forms, and marked so, where it does not.
   */
  MemoryEstimate memory(Layout layout) {
    return isCounted(layout)
        ? booked.estimate(
            request.shape(),
            layout,
            held(layout),
            request.job().sequenceLength(),
            memory,
            request.engine(),
            new BookedMemory.Limits(
                DEVICE_SHARE * request.machine().card().memoryGib() * GIB,
                HOST_SHARE * request.machine().host().memoryGib() * GIB))
        : closedForm(layout);
  }

  /** What closed forms say of a rank's memory. */
  MemoryEstimate closedForm(Layout layout) {
    return memory.estimate(layout, held(layout)).assumed();
  }

  /** Whether the memory of a layout is counted by a dry run. */
  boolean isCounted(Layout layout) {
    return request.engine().equals(EngineTraits.DUOKA) && missing(layout).isEmpty();
  }

  /** What the engine lacks to run a layout on this machine. */
  List<String> missing(Layout layout) {
    return EngineSupport.missing(layout, request.machine());
  }

  /** Whether a plan fits by what its memory comes to, which may be more than what pruned it. */
  boolean fits(MemoryEstimate estimate) {
    return fits(estimate.total(), estimate.hostBytes());
  }

  /** Whether so many bytes fit on a card, and so many in host memory. */
  boolean fits(double device, double host) {
    return deviceLack(device) <= 0 && hostLack(host) <= 0;
  }

  /** Whether a layout that has states away fits without that: nothing is faster for it. */
  boolean fitsWithoutOffload(Layout layout) {
    if (layout.offload() == Offload.NONE) {
      return false;
    }
    Layout whole = withoutOffload(layout);
    return fit(whole, demand(whole)) == Fit.FITS && fits(memory(whole));
  }

  /** The same layout with all states on the cards. */
  static Layout withoutOffload(Layout layout) {
    return layout.with(layout.zero(), Offload.NONE, layout.states());
  }

  StepTime time(Layout layout) {
    return time.estimate(layout, stages(layout), isCounted(layout));
  }

  /** Counts the parts of steps on all cores, so that {@link #time} need not one by one. */
  void price(List<Layout> layouts) {
    time.price(layouts.stream().filter(this::isCounted).toList());
  }

  MemoryDemand demand(Layout layout) {
    return memory.demand(layout, held(layout));
  }

  /** What closed forms say; of a layout that a dry run decides on, no more than that it may fit. */
  Fit fit(Layout layout, MemoryDemand demand) {
    double slack = isCounted(layout) ? 1 - PRUNING_SLACK : 1;
    if (hostLack(demand.hostBytes()) > 0 || deviceLack(slack * demand.stateBytes()) > 0) {
      return Fit.STATES_TOO_LARGE;
    }
    return deviceLack(slack * demand.deviceBytes()) > 0 ? Fit.TOO_LARGE : Fit.FITS;
  }

  /** GiB that all cards and the host lack together, none that is free set against it. */
  double lack(Layout layout, MemoryDemand demand) {
    return Math.max(0, deviceLack(demand.deviceBytes())) * layout.gpus()
        + Math.max(0, hostLack(demand.hostBytes()));
  }

  /** GiB that a card lacks; negative where some stay free. */
  private double deviceLack(double bytes) {
    return bytes / GIB - DEVICE_SHARE * request.machine().card().memoryGib();
  }

  /** GiB that the host lacks. */
  private double hostLack(double bytes) {
    return bytes / GIB - HOST_SHARE * request.machine().host().memoryGib();
  }

  Misfit misfit(Layout layout, MemoryDemand demand) {
    return new Misfit(
        layout,
        closedForm(layout),
        Math.max(0, deviceLack(demand.deviceBytes())),
        Math.max(0, hostLack(demand.hostBytes())),
        missing(layout));
  }

  /** A layout that fits by closed forms, and by its dry run does not. */
  Misfit misfit(Layout layout, MemoryEstimate counted) {
    return new Misfit(
        layout,
        counted,
        Math.max(0, deviceLack(counted.total())),
        Math.max(0, hostLack(counted.hostBytes())),
        missing(layout));
  }

  /** The misfit as its dry run has it, where the engine runs the layout. */
  Misfit counted(Misfit misfit) {
    if (!isCounted(misfit.layout())) {
      return misfit;
    }
    return misfit(misfit.layout(), memory(misfit.layout()));
  }

  double seconds(Layout layout) {
    return time.seconds(layout, stages(layout));
  }

  Plan plan(Layout layout) {
    return plan(layout, memory(layout));
  }

  /** The plan of a layout whose memory is known. */
  Plan plan(Layout layout, MemoryEstimate estimate) {
    StepTime step = time(layout);
    Machine machine = request.machine();
    double tokensPerSecond = request.job().tokensPerStep() / step.total();
    NumberFormat counted =
        ProductFormat.of(
            layout.precision() == Precision.FP8
                ? layout.precision()
                : ProductFormat.halfPrecision(machine.card()));
    double peak = machine.card().peak(counted) * layout.gpus();
    int length = request.job().sequenceLength();
    boolean frozen = layout.method().isAdapter();
    return new Plan(
        layout,
        estimate,
        step,
        tokensPerSecond,
        tokensPerSecond * request.shape().flopsPerToken(length, frozen, true) / peak,
        tokensPerSecond * request.shape().flopsPerToken(length, frozen, false) / peak,
        counted,
        Cost.of(machine, layout.gpus(), tokensPerSecond),
        missing(layout),
        List.of());
  }

  /** The stages in their order, several a rank where it has several. */
  private List<Stage> stages(Layout layout) {
    return stages.computeIfAbsent(
        layout.pipeline() * layout.order().stagesPerRank(),
        count ->
            request.engine().equals(EngineTraits.DUOKA)
                ? Stage.balanced(request.shape(), count, request.job().sequenceLength())
                : Stage.split(request.shape(), count));
  }

  /** What each rank of a pipeline holds. */
  private List<Stage> held(Layout layout) {
    return layout.order().stagesPerRank() == 1
        ? stages(layout)
        : held.computeIfAbsent(
            Map.entry(layout.pipeline(), layout.order().stagesPerRank()),
            _ -> Stage.ofRanks(stages(layout), layout.pipeline()));
  }

  /** The candidate of a layout by closed forms. */
  Candidate candidate(Layout layout) {
    MemoryDemand demand = demand(layout);
    return new Candidate(layout, demand.deviceBytes(), demand.hostBytes(), seconds(layout));
  }
}
