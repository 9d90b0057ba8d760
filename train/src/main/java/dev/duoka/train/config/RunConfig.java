package dev.duoka.train.config;

import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.train.config.binding.Doc;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Everything that a run file says: which model is trained, on what, and how.
 *
 * <p>{@link RunFile} reads it and refuses what is unknown or contradictory. What it returns is
 * resolved: fields whose default depends on other fields of the file ({@code training.micro_batch},
 * {@code data.field}, {@code data.seed}, {@code optimizer.clip_norm}, {@code
 * schedule.final_fraction}, {@code loss_scale} under fp16) are filled in. Fields whose default
 * depends on the machine ({@code threads}, {@code data.cache}, {@code run_dir}) stay empty, so that
 * a run can go on elsewhere.
 */
public record RunConfig(
    @Doc(
            value = "Which architecture is trained and where its weights start.",
            whenAbsent = "**required**: `preset` or `path`")
        ModelSettings model,
    @Doc(
            value = "Adapters beside the model's weights, which are frozen then.",
            whenAbsent = "all weights are trained")
        Optional<AdapterSettings> adapter,
    @Doc(
            value =
                "What pairs of answers are compared by, for `data.format: pairs`: direct"
                    + " preference optimisation (DPO).",
            whenAbsent = "the defaults below for `pairs`, none otherwise")
        Optional<PreferenceSettings> preference,
    @Doc("The corpus and how it becomes sequences of token ids.") DataSettings data,
    @Doc("The batch, the length of the run and its arithmetic.") TrainingSettings training,
    @Doc("AdamW with decoupled weight decay.") OptimizerSettings optimizer,
    @Doc("How the learning rate moves over the run.") ScheduleSettings schedule,
    @Doc(
            value = "Dynamic loss scaling, as `torch.amp.GradScaler` does it; `fp16` only.",
            whenAbsent = "the defaults below under `fp16`, none otherwise")
        Optional<LossScaleSettings> lossScale,
    @Doc("How the work is spread over ranks.") ParallelSettings parallel,
    @Doc("How the ranks are shared out among processes.") LaunchSettings launch,
    @Doc("In which form, and where, gradients and the optimizer's states are kept.")
        MemorySettings memory,
    @Doc(
            value =
                "`cpu`, `cuda` (a GPU for each rank), one GPU such as `cuda:0` that all ranks"
                    + " share, or `cuda:0,2,1,3` names one for each rank of a machine, in their"
                    + " order; otherwise ranks that exchange most take the fastest links (`config"
                    + " --explain`). `auto`: CUDA if a usable GPU is there, else the CPU, and the"
                    + " run says which.",
            byDefault = "auto")
        DeviceChoice device,
    @Doc(
            value = "CPU threads of each rank.",
            unit = "threads",
            whenAbsent = "the cores of the machine divided by its ranks",
            range = "[1, 4096]")
        OptionalInt threads,
    @Doc("When the state of the run is saved and how long it is kept.")
        CheckpointSettings checkpoint,
    @Doc("When the loss on held-out documents is measured.") ValidationSettings validation,
    @Doc("How often the run reports.") LoggingSettings logging,
    @Doc(
            "What is changed when a run fails: by the run itself where it can, else by its"
                + " supervisor.")
        RemedySettings remedies,
    @Doc(name = "notify", value = "Who hears how a supervised run goes.")
        NotifySettings notifications,
    @Doc(
            value = "Folder for everything that the run writes.",
            whenAbsent = "`runs/<name of the run file>-<date and time>`")
        Optional<Path> runDir,
    @Doc(
            value =
                "Variables that native libraries read when they are loaded (`NCCL_…`, `CUDA_…`,"
                    + " `OMP_…` and the like), for example `{NCCL_P2P_LEVEL: SYS}`; `./duoka nccl`"
                    + " writes such a block. `train` sets them before it loads LibTorch. A"
                    + " variable that the shell has set wins, and `train` says so.",
            byDefault = "{}")
        Map<String, @Nullable Object> environment,
    @Doc(
            value = "A text that the trained model writes at the end of the run.",
            whenAbsent = "no sample")
        Optional<SampleSettings> generateSample) {

  public RunConfig {
    environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
  }

  /** How this run is laid out: one of the layouts that the planner chooses from. */
  public Layout layout() {
    BatchPlan batch = BatchPlan.of(this);
    return new Layout(
        parallel.data(),
        parallel.tensor(),
        parallel.pipeline(),
        parallel.expert(),
        parallel.context(),
        parallel.zero(),
        batch.microBatch(),
        batch.accumulationSteps(),
        training.recompute(),
        memory.offload(),
        LossKind.CHUNKED,
        training.precision(),
        method(),
        memory.states(),
        parallel.order(),
        parallel.replicate(),
        memory.offloadUpdate(),
        parallel.blocksPerBucket(),
        memory.offloadFraction());
  }

  private Method method() {
    return adapter
        .map(it -> it.baseForm().isInFourBits() ? Method.QLORA : Method.LORA)
        .orElse(Method.FULL);
  }

  /**
   * CPU threads of each rank: {@link #threads}, or an equal share of the cores and at least one.
   *
   * @param cores cores of the machine
   */
  public int threadsPerRank(int cores) {
    return threadsPerRank(cores, parallel.ranks());
  }

  /**
   * As the other method, where only some of the ranks are on a machine.
   *
   * @param ranks those on the machine
   */
  public int threadsPerRank(int cores, int ranks) {
    return threads.orElse(Math.max(1, cores / ranks));
  }

  /** The GPUs that the run takes: one for each rank, unless all share one; 0 on the CPU. */
  public int gpus() {
    if (device.kind() == DeviceChoice.Kind.CPU) {
      return 0;
    }
    return device.index().isPresent() ? 1 : parallel.ranks();
  }
}
