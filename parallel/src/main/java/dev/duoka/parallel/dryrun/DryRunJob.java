package dev.duoka.parallel.dryrun;

import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.layout.Layout;
import dev.duoka.layout.Method;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.plan.StateSettings;
import dev.duoka.parallel.step.PipelineSettings;
import dev.duoka.parallel.step.StepSettings;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A step to run with shapes alone, by one rank of a mesh.
 *
 * @param settings what the step is made from
 * @param mesh all ranks
 * @param rank which of them
 * @param microBatch sequences in a forward pass
 * @param accumulation forward passes of a rank in a step
 */
public record DryRunJob(
    StepSettings settings, Mesh mesh, int rank, int microBatch, int accumulation) {
  /** A step of the first of some data-parallel ranks. */
  public DryRunJob(StepSettings settings, int dataRanks, int microBatch, int accumulation) {
    this(settings, new Mesh(1, 1, dataRanks, 1, 1, 1), 0, microBatch, accumulation);
  }

  /** The weight of predicting further tokens that layouts are counted with. */
  private static final double FURTHER_TOKENS = 0.3;

  /**
   * The adapter that a method trains beside a model: its own, else the usual one, on a base in the
   * method's form.
   *
   * @param method one that trains adapters
   */
  public static AdapterConfig adapter(ModelConfig model, Method method) {
    AdapterConfig given = model.adapter();
    AdapterConfig own = given == null ? AdapterConfig.USUAL : given;
    if (method == Method.LORA) {
      return own.on(BaseForm.DENSE);
    }
    return own.baseForm().isInFourBits() ? own : own.on(BaseForm.NF4);
  }

  /**
   * The step of the first rank of a layout, with everything that the model has; where only adapters
   * are trained, with {@link #adapter}.
   *
   * @param length tokens in a sequence
   */
  public static DryRunJob of(ModelConfig model, Layout layout, int length) {
    boolean adapts = layout.method().isAdapter();
    MoeConfig moe = model.moe();
    return new DryRunJob(
        new StepSettings(
                adapts ? model.with(adapter(model, layout.method())) : model,
                layout.precision(),
                layout.recompute(),
                length,
                new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1),
                layout.zero(),
                LossScaler.Settings.DEFAULT,
                adapts
                    ? StepSettings.AuxiliaryLosses.NONE
                    : new StepSettings.AuxiliaryLosses(
                        model.mtpModules(), FURTHER_TOKENS, moe == null ? 0 : 0.01, true, 0.001))
            .with(StateSettings.of(layout, 0))
            .with(
                new PipelineSettings(
                    layout.order().kind(), layout.order().stagesPerRank(), List.of())),
        Mesh.of(layout),
        0,
        layout.microBatch(),
        layout.accumulation());
  }

  /**
   * The same with no more forward passes than have a peak of their own: the first starts the sums
   * of gradients, the second adds to them, as all others do, and where gradients leave the third
   * meets those of the one before it. A pipeline that goes one forward, one backward is full after
   * as many as it has ranks, and then has those two; any other is full, and empties, within thrice
   * as many.
   */
  public DryRunJob steady() {
    int ranks = mesh.pipeline();
    int alone = settings.zeroStage() < 2 && !settings.states().updatesOnHost() ? 2 : 3;
    boolean plain = settings.pipeline().kind() == PipelineKind.ONE_F_ONE_B;
    int several = plain ? ranks + alone : 3 * ranks;
    int enough = ranks == 1 ? alone : keepsAll() ? accumulation : several;
    return of(Math.min(accumulation, enough));
  }

  /**
   * A step that keeps the same in host memory, with as few and as small forward passes as can be:
   * states, and what travels, do not depend on activations.
   */
  public DryRunJob ofHost() {
    int passes = Math.min(accumulation, 3);
    boolean any = !keepsAll() && settings.pipeline().stagesPerRank() == 1;
    return new DryRunJob(
        settings.with(Recompute.NONE), mesh, rank, smallest(), any ? passes : accumulation);
  }

  /** The fewest sequences whose tokens the ranks of a sequence can share. */
  private int smallest() {
    for (int sequences = 1; sequences < microBatch; sequences++) {
      long rows = (long) sequences * settings.sequenceLength() / mesh.context();
      if (microBatch % sequences == 0 && rows % mesh.tensor() == 0) {
        return sequences;
      }
    }
    return microBatch;
  }

  /** A step that makes all that lasts, with as few forward passes as can be. */
  DryRunJob shortest() {
    boolean rounds = mesh.pipeline() > 1 && settings.pipeline().stagesPerRank() > 1;
    return settings.states().updatesOnHost() || keepsAll()
        ? this
        : of(Math.min(accumulation, rounds ? mesh.pipeline() : 1));
  }

  /** Whether a schedule keeps all forward passes, or is for one number of them. */
  private boolean keepsAll() {
    return mesh.pipeline() > 1
        && (settings.pipeline().kind() == PipelineKind.GPIPE
            || settings.pipeline().table().isPresent());
  }

  private DryRunJob of(int passes) {
    return new DryRunJob(settings, mesh, rank, microBatch, passes);
  }

  /** The same step by one rank of each stage: all others are like one of them. */
  public List<DryRunJob> ofStages() {
    int perStage = mesh.size() / mesh.pipeline();
    return IntStream.range(0, mesh.pipeline())
        .mapToObj(
            stage -> new DryRunJob(settings, mesh, stage * perStage, microBatch, accumulation))
        .toList();
  }

  /** Data-parallel ranks. */
  public int dataRanks() {
    return mesh.data();
  }

  /** The same of another model. */
  DryRunJob of(ModelConfig model) {
    return new DryRunJob(settings.of(model), mesh, rank, microBatch, accumulation);
  }
}
