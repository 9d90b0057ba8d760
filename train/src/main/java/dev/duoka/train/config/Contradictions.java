package dev.duoka.train.config;

import dev.duoka.base.DuokaException;
import dev.duoka.base.Plural;
import dev.duoka.data.chat.LossOn;
import dev.duoka.layout.Dispatcher;
import dev.duoka.layout.GradientForm;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.Precision;
import dev.duoka.train.config.binding.Binder;
import dev.duoka.train.config.binding.Problems;
import dev.duoka.train.config.binding.YamlWriter;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Refuses fields that are valid one by one but not together, and choices that were not made. */
final class Contradictions {
  private final RunConfig config;
  private final Binder.Bound<RunConfig> bound;
  private final Problems problems;

  private Contradictions(RunConfig config, Binder.Bound<RunConfig> bound, Problems problems) {
    this.config = config;
    this.bound = bound;
    this.problems = problems;
  }

  /** Adds a problem for every contradiction; of a file that lacks something, for what it lacks. */
  static void find(Binder.Bound<RunConfig> bound, Problems problems) {
    exactlyOne("model", List.of("preset", "path"), bound, problems);
    exactlyOne("training", List.of("steps", "tokens", "epochs"), bound, problems);
    if (bound.value().isEmpty()) {
      return;
    }
    Contradictions contradictions =
        new Contradictions(bound.value().orElseThrow(), bound, problems);
    contradictions.model();
    contradictions.data();
    contradictions.preference();
    contradictions.validation();
    contradictions.leftOut();
    contradictions.batch();
    contradictions.launch();
    contradictions.pipeline();
    contradictions.experts();
    contradictions.buckets();
    contradictions.precision();
    contradictions.names();
    contradictions.memory();
    contradictions.adapter();
    contradictions.schedule();
    contradictions.checkpoints();
    contradictions.environment();
  }

  private void environment() {
    config
        .environment()
        .forEach(
            (name, value) ->
                EnvironmentVariables.problem(name, value)
                    .ifPresent(found -> refuse(found.field(), found.problem(), found.remedy())));
  }

  private void model() {
    ModelSettings model = config.model();
    if (model.loadWeights() && model.path().isEmpty()) {
      refuse(
          "model.load_weights",
          "model.load_weights needs a folder to load from",
          "Set model.path to a folder with a config.json and *.safetensors.");
    }
  }

  private void data() {
    DataSettings data = config.data();
    if (data.sources().isEmpty()) {
      refuse("data.sources", "data.sources is empty", "Name a file, a folder or jdk:src.");
    }
    boolean skips = data.badRecords() == DataSettings.OnBadRecord.SKIP;
    if (data.onBadText().isPresent()
        && data.onBadText().get() == DataSettings.OnBadText.SKIP != skips) {
      refuse(
          "data.on_bad_text",
          "data.on_bad_text and data.on_bad_record contradict each other",
          "Remove data.on_bad_text, the older name.");
    }
    SourceFields.problems(config)
        .forEach(each -> refuse(each.field(), each.problem(), each.remedy()));
    if (data.field().isPresent() && data.format() == DataSettings.Format.TEXT) {
      refuse(
          "data.field",
          "data.field names a JSONL field or Parquet column, but data.format is text",
          "Remove data.field, or set data.format to jsonl or parquet.");
    }
    chatField(data, data.chatTemplate().isPresent(), "data.chat_template");
    chatField(data, data.lossOn() != LossOn.ASSISTANT && !data.hasPairs(), "data.loss_on");
    chatField(data, data.systemPrompt().isPresent(), "data.system_prompt");
    if (data.packChats() && !data.hasChats()) {
      refuse(
          "data.pack_chats",
          "data.pack_chats is for chat data only; text is always packed",
          "Remove it, or set data.format to chat.");
    }
  }

  private void preference() {
    DataSettings data = config.data();
    if (config.preference().isPresent() && !data.hasPairs()) {
      refuse(
          "preference",
          "preference compares pairs of answers, but data.format is "
              + data.format().name().toLowerCase(Locale.ROOT),
          "Remove it, or set data.format to pairs.");
    }
    if (!data.hasPairs()) {
      return;
    }
    if (data.allSources().stream()
        .anyMatch(source -> data.formatOf(source) != DataSettings.Format.PAIRS)) {
      refuse(
          "data.sources",
          "some sources hold pairs of answers and some do not: a step has one kind of loss",
          "Train on them in two runs, or write all as pairs.");
    }
    if (data.documentsApart()) {
      refuse(
          "data.documents_apart",
          "data.documents_apart is for sequences of several documents; each answer of a pair has"
              + " its own",
          "Remove it.");
    }
    boolean ofBase =
        config
            .preference()
            .filter(it -> it.reference() == PreferenceSettings.Reference.BASE)
            .isPresent();
    if (ofBase && config.adapter().filter(it -> !it.trainWhole().isEmpty()).isPresent()) {
      refuse(
          "preference.reference",
          "preference.reference is base, but adapter.train_whole changes weights of the base",
          "Set it to start, or train adapters alone.");
    }
    if (ofBase && config.adapter().isEmpty()) {
      refuse(
          "preference.reference",
          "preference.reference is base, but all weights are trained: there is no frozen base",
          "Set it to start, or train an adapter.");
    }
  }

  private void chatField(DataSettings data, boolean set, String field) {
    if (set && !data.usesTemplate()) {
      refuse(
          field,
          field + " is for chat data only, but data.format is " + name(data.format()),
          "Remove it, or set data.format to chat.");
    }
  }

  private static String name(DataSettings.Format format) {
    return format.name().toLowerCase(Locale.ROOT);
  }

  private void validation() {
    ValidationSettings validation = config.validation();
    Set<String> names = new TreeSet<>(List.of(ValidationSettings.LOSS));
    if (config.data().hasPairs()) {
      names.add(ValidationSettings.ACCURACY);
    }
    names.addAll(measuredSources());
    takenNames();
    for (TaskSettings task : validation.tasks()) {
      boolean taken = ValidationSettings.TAKEN.contains(task.shownName());
      if (taken) {
        refuseName("validation.tasks", "a task", task.shownName());
      } else if (!names.add(task.shownName())) {
        refuse(
            "validation.tasks",
            "two things that are measured are called " + task.shownName(),
            "Give the task a name of its own.");
      }
    }
    if (!names.contains(validation.bestBy())) {
      refuse(
          "validation.best_by",
          "validation.best_by is '" + validation.bestBy() + "', which is not measured",
          "Write one of " + names + ".");
    }
    boolean asks = !validation.tasks().isEmpty() || validation.answers() > 0;
    if ((asks || validation.looksForBest()) && !config.data().holdsOut()) {
      refuse(
          "data.validation_fraction",
          "nothing is held out, so that there is no validation in which section validation could"
              + " ask or compare anything",
          "Set data.validation_fraction, or name data.validation_sources.");
    }
    if (asks && validation.answerTokens() >= config.data().sequenceLength()) {
      refuse(
          "validation.answer_tokens",
          "validation.answer_tokens "
              + validation.answerTokens()
              + " leaves no room for a question in data.sequence_length "
              + config.data().sequenceLength(),
          "Lower it.");
    }
    if (config.data().hasPairs() && validation.sequences() < 2) {
      refuse(
          "validation.sequences",
          "validation.sequences 1 is half a pair of answers",
          "Nearest valid: 2.");
    }
    if (validation.everySteps() == 0
        && (validation.looksForBest()
            || !validation.tasks().isEmpty()
            || validation.answers() > 0)) {
      refuse(
          "validation.every_steps",
          "validation.every_steps is 0: nothing is ever measured, and no step is the best",
          "Set it, or remove what follows from it.");
    }
  }

  /** Numbers of sources and tasks stand beside what a run measures by itself. */
  private void takenNames() {
    DataSettings data = config.data();
    Set<String> measured = measuredSources();
    for (SourceSettings source : data.allSources()) {
      String name = source.shownName();
      boolean shown = source.name().isPresent() || measured.contains(name);
      if (shown && ValidationSettings.TAKEN.contains(name)) {
        refuseName(
            data.sources().contains(source) ? "data.sources" : "data.validation_sources",
            "a source",
            name);
      }
    }
  }

  private void refuseName(String field, String what, String name) {
    refuse(
        field,
        what + " is called '" + name + "', as a number that each run measures",
        "Give it another 'name'; taken are " + String.join(", ", ValidationSettings.TAKEN) + ".");
  }

  /** Those of which a number of their own is measured: where single sources are spoken of. */
  private Set<String> measuredSources() {
    DataSettings data = config.data();
    Set<String> names = new TreeSet<>();
    boolean named =
        !data.validationSources().isEmpty()
            || data.sources().stream().anyMatch(source -> !source.isPathAlone());
    if (named) {
      data.validationSources().forEach(source -> names.add(source.shownName()));
      data.sources().stream()
          .filter(source -> source.validationFraction().orElse(data.heldOut()) > 0)
          .forEach(source -> names.add(source.shownName()));
    }
    return names;
  }

  private void leftOut() {
    LeftOutBatches.wrong(config.data().leaveOut())
        .ifPresent(
            entry ->
                refuse(
                    "data.leave_out",
                    "data.leave_out has '" + entry + "'",
                    "Write STEPS:BATCHES, for example 100:40."));
  }

  private void batch() {
    try {
      BatchPlan.of(config);
    } catch (DuokaException e) {
      String message = String.valueOf(e.getMessage());
      refuse(message.substring(0, message.indexOf(' ')), message, ""); // begins with the field
    }
  }

  private void launch() {
    int ranks = config.parallel().ranks();
    int each = config.launch().ranksPerProcess().count().orElse(ranks);
    int named = config.device().gpus().size();
    if (named > 1 && (named > ranks || ranks % named != 0)) {
      refuse(
          "device",
          "device "
              + config.device()
              + " names "
              + named
              + " GPUs, but the run has "
              + Plural.of(ranks, "rank"),
          "Name one GPU for each rank of a machine, in their order, or set device: cuda.");
    }
    if (ranks % each != 0) {
      int below = each;
      while (ranks % below != 0) {
        below--;
      }
      refuse(
          "launch.ranks_per_process",
          "launch.ranks_per_process "
              + each
              + " does not divide the run's "
              + Plural.of(ranks, "rank")
              + ", so no number of processes holds them",
          "Nearest valid: " + below + ".");
    }
  }

  private void pipeline() {
    PipelineFields.problems(config.parallel())
        .forEach(each -> refuse(each.field(), each.problem(), each.remedy()));
  }

  private void experts() {
    ParallelSettings parallel = config.parallel();
    if (parallel.expert() == 1 && parallel.dispatcher() != Dispatcher.AUTO) {
      refuse(
          "parallel.dispatcher",
          "parallel.dispatcher is "
              + parallel.dispatcher()
              + ", but parallel.expert is 1: no expert is on another rank",
          "Set parallel.expert, or remove it.");
    }
  }

  private void buckets() {
    ParallelSettings parallel = config.parallel();
    if (parallel.blocksPerBucket() > 1 && !parallel.exchangesBuckets()) {
      refuse(
          "parallel.blocks_per_bucket",
          "parallel.blocks_per_bucket is "
              + parallel.blocksPerBucket()
              + ", but no two ranks hold the same weights: no bucket is exchanged",
          "Set parallel.data, or remove it.");
    }
  }

  private void precision() {
    Precision precision = config.training().precision();
    if (config.lossScale().isPresent() && !precision.scalesLoss()) {
      refuse(
          "loss_scale",
          "loss_scale is for fp16 only, but training.precision is " + precision,
          "Remove loss_scale, or set training.precision to fp16.");
    }
  }

  /** Names of modules have one form, whatever the model. */
  private void names() {
    try {
      config.training().frozen();
    } catch (IllegalArgumentException e) {
      refuse("training.freeze", "training.freeze: " + e.getMessage(), "Correct it.");
    }
    try {
      config.optimizer().updates();
    } catch (IllegalArgumentException e) {
      refuse("optimizer.rates", "optimizer.rates: " + e.getMessage(), "Correct it.");
    }
  }

  private void memory() {
    MemorySettings memory = config.memory();
    Precision precision = config.training().precision();
    boolean bf16 = precision == Precision.BF16 || precision == Precision.FP8;
    if (!memory.masterWeights() && !bf16) {
      refuse(
          "memory.master_weights",
          "memory.master_weights: false is for bf16 and fp8, but training.precision is "
              + precision,
          precision.hasMasterWeights()
              ? "Set it to true: fp16 has no room for small weights."
              : "Remove it: weights in " + precision + " have no second copy.");
    }
    if (memory.offload() == Offload.NONE && memory.offloadUpdate() != OffloadUpdate.DEVICE) {
      refuse(
          "memory.offload_update",
          "memory.offload_update is "
              + memory.offloadUpdate()
              + ", but memory.offload is none: no states are in host memory",
          "Set memory.offload to optimizer, or remove it.");
    }
    boolean passes =
        memory.offload() != Offload.NONE && memory.offloadUpdate() == OffloadUpdate.DEVICE;
    if (!passes && memory.offloadFraction() != 1) {
      refuse(
          "memory.offload_fraction",
          "memory.offload_fraction is "
              + memory.offloadFraction()
              + ", but no states are in host memory that the device updates",
          "Set memory.offload to optimizer and memory.offload_update to device, or remove it.");
    }
    if (config.device().kind() == DeviceChoice.Kind.CPU) {
      MemorySettings.offloadOnCpu("memory.offload", memory.offload())
          .ifPresent(problem -> refuse("memory.offload", problem, "Set it to none."));
    }
    if (memory.gradients() == GradientForm.BF16) {
      if (!bf16) {
        refuse(
            "memory.gradients",
            "memory.gradients: bf16 is for bf16 and fp8, but training.precision is " + precision,
            "Set it to fp32.");
      } else if (microBatches() > 1) {
        refuse(
            "memory.gradients",
            "memory.gradients: bf16 loses the small parts of sums, and a step of each rank is the"
                + " sum of "
                + microBatches()
                + " micro-batches",
            "Set it to fp32, or choose training.micro_batch so that one is enough.");
      }
    }
  }

  private void adapter() {
    AdapterSettings adapter = config.adapter().orElse(null);
    if (adapter == null) {
      return;
    }
    if (adapter.path().isPresent()) {
      // A run file that was written whole has all fields, with their defaults.
      YamlWriter.changes(adapter.ofPath(), adapter).stream()
          .map(change -> "adapter." + change.key())
          .findFirst()
          .ifPresent(
              field ->
                  refuse(
                      field,
                      field + " is said by the adapter_config.json of adapter.path",
                      "Remove one of the two."));
    }
    if (!adapter.baseForm().isInFourBits() && !adapter.doubleQuantization()) {
      refuse(
          "adapter.double_quantization",
          "adapter.double_quantization says how the scales of 4-bit weights are kept, but"
              + " adapter.base is dense",
          "Remove it, or set adapter.base to nf4.");
    }
    if (adapter.baseForm().isInFourBits() && config.training().precision() == Precision.FP8) {
      refuse(
          "adapter.base",
          "adapter.base is nf4, whose weights multiply in 16 bits or more, but training.precision"
              + " is fp8",
          "Set training.precision to bf16.");
    }
    if (adapter.modulesMatching().isPresent() && !adapter.hasUsualModules()) {
      refuse(
          "adapter.modules_matching",
          "adapter.modules and adapter.modules_matching contradict each other",
          "Keep one of them.");
    }
    if (!config.training().freeze().isEmpty()) {
      refuse(
          "training.freeze",
          "training.freeze names weights, but beside an adapter all are frozen that"
              + " adapter.train_whole does not name",
          "Remove it, or the adapter.");
    }
    if (config.memory().offload() != Offload.NONE) {
      refuse(
          "memory.offload",
          "memory.offload is " + config.memory().offload() + ", but an adapter's states are small",
          "Set it to none.");
    }
  }

  /** Micro-batches of a step of each rank; 1 where the file is wrong about them. */
  private int microBatches() {
    try {
      return BatchPlan.of(config).accumulationSteps();
    } catch (DuokaException e) {
      return 1; // found and refused elsewhere
    }
  }

  private void schedule() {
    ScheduleSettings schedule = config.schedule();
    if (schedule.finalFraction().isPresent() && !schedule.kind().hasFinalFraction()) {
      refuse(
          "schedule.final_fraction",
          "schedule.final_fraction is for schedules that fall to it, and "
              + schedule.kind().name().toLowerCase(Locale.ROOT)
              + " does not",
          "Remove it, or set schedule.kind to cosine, linear or warmup_stable_decay.");
    }
    decay(schedule);
    OptionalLong steps = knownSteps();
    if (steps.isPresent() && !contradictsItself(schedule)) {
      schedule
          .misfit(steps.getAsLong())
          .ifPresent(found -> refuse(found.field(), found.problem(), found.remedy()));
    }
  }

  private void decay(ScheduleSettings schedule) {
    if (schedule.kind() != ScheduleSettings.Kind.WARMUP_STABLE_DECAY) {
      Stream.of("decay_fraction", "decay_steps", "decay_shape")
          .map(name -> "schedule." + name)
          .filter(bound.origins()::containsKey)
          .forEach(
              field ->
                  refuse(
                      field,
                      field + " is for the warmup_stable_decay schedule only",
                      "Remove it, or set schedule.kind to warmup_stable_decay."));
      return;
    }
    if (contradictsItself(schedule)) {
      refuse(
          "schedule.decay_steps",
          "schedule.decay_fraction and schedule.decay_steps contradict each other",
          "Keep one of them.");
    }
  }

  private static boolean contradictsItself(ScheduleSettings schedule) {
    return schedule.decayFraction().isPresent() && schedule.decaySteps().isPresent();
  }

  private OptionalLong knownSteps() {
    TrainingSettings training = config.training();
    if (training.steps().isPresent()) {
      return training.steps();
    }
    return training.tokens().isPresent()
        ? OptionalLong.of(Math.ceilDiv(training.tokens().getAsLong(), training.tokensPerStep()))
        : OptionalLong.empty();
  }

  private void checkpoints() {
    int every = config.checkpoint().everySteps();
    int keepEvery = config.checkpoint().keepEvery();
    if (keepEvery > 0 && (every == 0 || keepEvery % every != 0)) {
      long below = every == 0 ? 0 : (long) keepEvery / every * every;
      String nearest = below == 0 ? "" + every : below + " or " + (below + every);
      refuse(
          "checkpoint.keep_every",
          "checkpoint.keep_every "
              + keepEvery
              + " is no multiple of checkpoint.every_steps "
              + every
              + ", so those checkpoints would never be written",
          every == 0 ? "Set checkpoint.every_steps." : "Nearest valid: " + nearest + ".");
    }
  }

  private static void exactlyOne(
      String section, List<String> fields, Binder.Bound<RunConfig> bound, Problems problems) {
    List<String> set =
        fields.stream()
            .filter(field -> bound.origins().containsKey(section + "." + field))
            .toList();
    if (set.isEmpty()) {
      problems.add(
          bound.origin(section),
          section + " has none of " + String.join(", ", fields),
          "Set exactly one of them.");
    } else if (set.size() > 1) {
      String last = set.getLast();
      String all = String.join(" and ", set.stream().map(name -> section + "." + name).toList());
      problems.add(
          bound.origin(section + "." + last),
          all + " contradict each other",
          "Keep one of them; --set " + section + "." + set.getFirst() + "=null unsets a field.");
    }
  }

  private void refuse(String path, String problem, String remedy) {
    problems.add(bound.origin(path), problem, remedy);
  }
}
