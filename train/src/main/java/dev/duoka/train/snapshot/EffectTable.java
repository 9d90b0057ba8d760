package dev.duoka.train.snapshot;

import static dev.duoka.train.snapshot.Effect.NEITHER;
import static dev.duoka.train.snapshot.Effect.NUMBERS;
import static dev.duoka.train.snapshot.Effect.ROUNDING;
import static dev.duoka.train.snapshot.Effect.SPEED;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a difference in each field of a snapshot can change, and why: the one place that says it. Of
 * several lines that match a field the first one counts; a field that none matches is taken to
 * change the numbers.
 */
public final class EffectTable {
  private static final String KEYS = "the keys of the data say what was read, and ";

  private static final List<Line> LINES =
      List.of(
          // What is learned from.
          byData(
              "config.data.(sources|format|field|encoding|on_bad_text|on_bad_record|longest_turn|tokenizer)"),
          line("config.data.cache", NEITHER, "where tokens are cached, under the same keys"),
          line("config.data.find_leaks", NEITHER, "what is told of the data, not what is learned"),
          line("config.data.leave_out", NUMBERS, "other batches are trained on"),
          line("config.data.seed|seed.data", NUMBERS, "another order and another split"),
          line("config.data.validation_sources", NEITHER, "what is measured, not what is learned"),
          line("config.data.validation_fraction", NUMBERS, "other documents are held out"),
          line("config.data.*", NUMBERS, "other sequences are trained on"),
          line("data.file_names", NEITHER, "names of files, not what they hold"),
          line("data.validation_sources", NEITHER, "what is measured, not what is learned"),
          line("data.(tokenizer|sources|duplicates)", NUMBERS, "other tokens are trained on"),
          // How it is learned.
          line("config.training.seed|seed.weights", NUMBERS, "other first weights"),
          line("config.training.tokens_per_step", NUMBERS, "another batch"),
          line(
              "config.training.(steps|tokens|epochs)",
              NUMBERS,
              "the learning rate follows the run's length"),
          byExperts(
              "config.training.micro_batch",
              NUMBERS,
              "the experts' balance loss may be one of each micro-batch"),
          line("config.training.micro_batch", ROUNDING, "the same batch in other parts"),
          line("config.training.precision", NUMBERS, "other arithmetic"),
          line("config.training.freeze", NUMBERS, "other weights are trained"),
          line("config.training.embedding_noise", NUMBERS, "other noise is trained with"),
          line("config.training.recompute", SPEED, "the same operations, some of them twice"),
          line("config.training.deterministic", ROUNDING, "other algorithms for the same sums"),
          line("config.optimizer.*", NUMBERS, "other updates"),
          line("config.schedule.*", NUMBERS, "another learning rate"),
          line("config.loss_scale.*|config.loss_scale", NUMBERS, "other steps are skipped"),
          line("config.model.*", NUMBERS, "another model, other losses or other first weights"),
          line(
              "config.adapter.(base|double_quantization)",
              NUMBERS,
              "the frozen weights are other numbers"),
          line("config.adapter.*|config.adapter", NUMBERS, "other weights are trained"),
          line("config.preference.*|config.preference", NUMBERS, "another loss of pairs"),
          line("config.memory.moments", NUMBERS, "the optimizer remembers in other precision"),
          line("config.memory.master_weights", NUMBERS, "weights are rounded another way"),
          line("config.memory.gradients", NUMBERS, "gradients are kept in other precision"),
          line(
              "config.memory.offload",
              ROUNDING,
              "the same bits where the device updates; the host does so by other instructions"),
          line("config.memory.offload_update", ROUNDING, "the host updates by other instructions"),
          line("config.memory.offload_fraction", SPEED, "the device updates either way"),
          // How the work is spread.
          line(
              "config.parallel.(schedule|stages|stages_per_rank|pipeline)",
              ROUNDING,
              "the same step; gradients are added in another order"),
          line("config.parallel.zero", ROUNDING, "the same sums, gathered in other pieces"),
          line(
              "config.parallel.blocks_per_bucket",
              ROUNDING,
              "each sum is of the same numbers in the same order, but NCCL's order goes by the"
                  + " place in a bucket, and under ZeRO the norm is summed in other parts"),
          line("config.parallel.collectives", ROUNDING, "who adds decides in which order"),
          line("config.parallel.empty_micro_batches", ROUNDING, "the same step in other parts"),
          line(
              "config.parallel.*",
              ROUNDING,
              "the same tokens a step on other ranks: sums in another order"),
          line("config.launch.ranks_per_process", ROUNDING, "ranks may exchange another way"),
          line("config.launch.timeout", NEITHER, "how long is waited for others"),
          line("config.device", ROUNDING, "other devices add in another order"),
          line("config.threads", ROUNDING, "threads of a CPU add in another order"),
          // What is written and said.
          line("config.checkpoint.*", NEITHER, "what is saved, not what is learned"),
          line("config.validation.*", NEITHER, "what is measured, not what is learned"),
          line("config.logging.*", NEITHER, "what is reported"),
          line("config.notify.*", NEITHER, "who hears of it"),
          line("config.generate_sample.*|config.generate_sample", NEITHER, "what is shown"),
          line("config.run_dir", NEITHER, "where the run writes"),
          line("config.remedies.go_back", NUMBERS, "a run that diverges leaves batches out"),
          line("config.remedies.divergence", NEITHER, "when a run is ended"),
          line(
              "config.remedies.(out_of_memory|lost_card)",
              ROUNDING,
              "after a failure the same step is taken in other parts"),
          // The program and its libraries.
          line("code.commit|code.duoka|code.build", NUMBERS, "another program"),
          line("code.properties.duoka.natives", NEITHER, "where the natives lie"),
          line("code.properties.duoka.(watch|trackTensors|memoryCheck)", NEITHER, "what is seen"),
          line("code.properties.duoka.kernels", ROUNDING, "other kernels for the same operators"),
          line("code.java|code.java_vendor", ROUNDING, "the rate's cosine may differ by a bit"),
          line("libraries.libtorch_origin", NEITHER, "how LibTorch was found"),
          line("libraries.nccl", ROUNDING, "NCCL adds in its own order"),
          line("libraries.(nvidia_driver|driver_cuda)", ROUNDING, "the driver compiles kernels"),
          line("libraries.*", ROUNDING, "other kernels for the same operators"),
          // The machine.
          line("machine.unknown", SPEED, "the machine could not be read at that start"),
          line("machine.host.(cpu|processors|allowed_processors)", ROUNDING, "other vector sums"),
          line("machine.host.*", SPEED, "the host serves, it does not compute on GPUs"),
          line("machine.gpus.*.(uuid|pci)", NEITHER, "which card of its kind"),
          line("machine.gpus.*.(name|capability|mig)", ROUNDING, "another card, other kernels"),
          line("machine.gpus.*", SPEED, "how fast and how large the card is"),
          line("machine.links.*", SPEED, "how fast cards exchange"),
          line("placement.ranks.*.device_kind", ROUNDING, "other devices add in another order"),
          line("placement.ranks.*", SPEED, "the same work in another place"),
          line(
              "placement.(collectives|dispatcher)",
              ROUNDING,
              "who adds decides in which order; said by newer starts alone"),
          line("placement.*", ROUNDING, "ranks may exchange another way"),
          line("products|products.*", ROUNDING, "another algorithm adds in another order"),
          // The environment.
          line("(config.)?environment.NCCL_DEBUG*", NEITHER, "what NCCL reports"),
          line(
              "(config.)?environment.NCCL_(ALGO|PROTO|NVLS|COLLNET|MIN_|MAX_|GRAPH|TOPO|RINGS|"
                  + "P2P_|SHM_|CROSS_NIC)*",
              ROUNDING,
              "NCCL takes other rings and adds in another order"),
          line("(config.)?environment.NCCL_*", SPEED, "how NCCL moves bytes"),
          line("(config.)?environment.CUDA_VISIBLE_DEVICES", SPEED, "which cards; they are above"),
          line(
              "(config.)?environment.CUDA_(LAUNCH_BLOCKING|MODULE_LOADING|DEVICE_ORDER|CACHE_*|"
                  + "DEVICE_MAX_CONNECTIONS)",
              SPEED,
              "when kernels are loaded and launched"),
          line("(config.)?environment.CUBLAS_WORKSPACE_CONFIG", ROUNDING, "other algorithms"),
          line(
              "(config.)?environment.PYTORCH_(CUDA_)?ALLOC_CONF",
              SPEED,
              "how memory is handed out"),
          line(
              "(config.)?environment.(OMP|MKL|OPENBLAS)_NUM*",
              ROUNDING,
              "threads of a CPU add in another order"),
          line("(config.)?environment.(OMP|GOMP|KMP)_*", SPEED, "how threads wait and where"),
          line("(config.)?environment.(UCX|GLOO|FI)_*", SPEED, "how others' libraries move bytes"),
          line(
              "environment.(DUOKA_LIBTORCH|LD_LIBRARY_PATH)",
              NEITHER,
              "where libraries lie; their versions are above"));

  private EffectTable() {}

  /** What the table says of a field. */
  record Verdict(Effect effect, String reason, boolean known) {}

  /** Whom a line is about. */
  private enum Of {
    ALL,
    /** Models that have experts, or may have some. */
    EXPERTS,
    /** All, and the keys of the data decide. */
    DATA
  }

  private record Line(Pattern keys, Effect effect, String reason, Of of) {}

  private static Line line(String keys, Effect effect, String reason) {
    return new Line(pattern(keys), effect, reason, Of.ALL);
  }

  private static Line byExperts(String keys, Effect effect, String reason) {
    return new Line(pattern(keys), effect, reason, Of.EXPERTS);
  }

  private static Line byData(String keys) {
    return new Line(pattern(keys), NUMBERS, KEYS, Of.DATA);
  }

  /** A dot is a dot, and a star stands for anything. */
  private static Pattern pattern(String keys) {
    return Pattern.compile(keys.replace(".", "\\.").replace("*", ".*"));
  }

  /**
   * The verdict on a field.
   *
   * @param key its dotted path
   * @param sameData whether both snapshots know the keys of their data and these are the same
   * @param experts whether one of the models may have experts
   */
  static Verdict of(String key, boolean sameData, boolean experts) {
    Optional<Line> line =
        LINES.stream()
            .filter(it -> experts || it.of() != Of.EXPERTS)
            .filter(it -> it.keys().matcher(key).matches())
            .findFirst();
    if (line.isEmpty()) {
      return new Verdict(NUMBERS, "nothing is known of this field", false);
    }
    if (line.get().of() != Of.DATA) {
      return new Verdict(line.get().effect(), line.get().reason(), true);
    }
    return sameData
        ? new Verdict(NEITHER, KEYS + "they are the same", true)
        : new Verdict(NUMBERS, KEYS + "they differ or are not known", true);
  }
}
