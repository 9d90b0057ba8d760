package dev.duoka.planner.time;

import dev.duoka.hardware.MachineProfile;
import dev.duoka.layout.Layout;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.parallel.dryrun.StepParts;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.planner.shape.ModelShape;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.DryRunDevice;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What layouts that the engine runs take on a machine that was measured: a dry run of the very step
 * says its parts with their shapes, the machine's profile what each takes. Keeps what it has
 * counted. Thread-safe.
 */
public final class PricedSteps {
  private final MachineProfile profile;
  private final Map<DryRunJob, List<StepParts.Part>> parts = new ConcurrentHashMap<>();

  /** For one machine. */
  public PricedSteps(MachineProfile profile) {
    this.profile = profile;
  }

  /** What steps in a precision need and a profile does not have, so that no part is priced. */
  public static List<String> lacking(MachineProfile profile, Precision precision) {
    return PartPrices.lacking(profile, ProductRates.measuredAs(precision));
  }

  /**
   * The step of a rank of each pipeline stage, in their order.
   *
   * @param length tokens in a sequence
   * @return empty where something that it needs was not measured, as {@link #lacking} says
   */
  Optional<List<PricedStep>> of(ModelShape shape, Layout layout, int length) {
    if (!lacking(profile, layout.precision()).isEmpty()) {
      return Optional.empty();
    }
    PartPrices prices = new PartPrices(profile);
    int passes =
        layout.pipeline() > 1 && layout.order().stagesPerRank() > 1 ? layout.pipeline() : 1;
    return Optional.of(
        DryRunJob.of(shape.config(), layout, length).ofStages().stream()
            .map(job -> observed(job, passes))
            .map(job -> parts.computeIfAbsent(job, PricedSteps::run))
            .map(seen -> prices.of(seen, passes, layout.recompute(), layout.states()))
            .toList());
  }

  /**
   * What full recompute runs again is no part of its own: its price follows from the others. Nor do
   * buckets change what is computed.
   */
  private static DryRunJob observed(DryRunJob job, int passes) {
    StepSettings step = job.settings();
    StepSettings plain = step.with(step.states().inBucketsOf(1));
    return new DryRunJob(
        step.recompute() == Recompute.FULL ? plain.with(Recompute.NONE) : plain,
        job.mesh(),
        job.rank(),
        job.microBatch(),
        passes);
  }

  private static List<StepParts.Part> run(DryRunJob job) {
    return DryRunDevice.of(Device.cuda(0), () -> StepParts.of(job));
  }
}
