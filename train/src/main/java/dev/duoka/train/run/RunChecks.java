package dev.duoka.train.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.data.source.DataSource;
import dev.duoka.data.source.SourceSpec;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.weight.FrozenWeights;
import dev.duoka.model.weight.Weight;
import dev.duoka.parallel.plan.UpdateRules;
import dev.duoka.tensor.Device;
import dev.duoka.train.config.DataSettings;
import dev.duoka.train.config.DeviceChoice;
import dev.duoka.train.config.FieldProblem;
import dev.duoka.train.config.ModelSettings;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.SourceSettings;
import dev.duoka.train.config.TaskSettings;
import dev.duoka.train.device.Transport;
import dev.duoka.train.evaluate.Evaluations;
import dev.duoka.train.evaluate.TaskFile;
import dev.duoka.train.placement.MachineView;
import dev.duoka.train.placement.MeshPlacement;
import dev.duoka.train.step.ParallelChecks;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What can be found wrong with a run before anything of it is started or written: the model, the
 * tokenizer and the sources that its configuration names. {@code config} and {@code train} refuse
 * the same.
 */
public final class RunChecks {
  /** What the checks had to read anyway. */
  record Checked(ModelConfig model, Tokenizer tokenizer) {}

  private final RunConfig config;
  private final List<FieldProblem> problems = new ArrayList<>();

  private RunChecks(RunConfig config) {
    this.config = config;
  }

  /** Everything that is wrong, each with the field that is to blame. */
  public static List<FieldProblem> problems(RunConfig config) {
    RunChecks checks = new RunChecks(config);
    checks.run();
    return checks.problems;
  }

  /** As the other method, and where nothing else is wrong that a machine has the devices. */
  public static List<FieldProblem> problems(RunConfig config, MachineView machine) {
    List<FieldProblem> problems = problems(config);
    return problems.isEmpty()
        ? MeshPlacement.of(config, machine).refusal().stream().toList()
        : problems;
  }

  /**
   * What is wrong with the steps of a run, whatever its data: the model, what carries exchanges,
   * and whether the model can be laid out so. For commands that take a run's steps on other tokens.
   */
  public static List<FieldProblem> problemsOfSteps(RunConfig config) {
    RunChecks checks = new RunChecks(config);
    checks.collectives();
    checks.layout(checks.model());
    return checks.problems;
  }

  /**
   * Checks a configuration that is about to run.
   *
   * @throws DuokaException with {@link ErrorCode#CONFIG} and everything that is wrong
   */
  static Checked require(RunConfig config) {
    RunChecks checks = new RunChecks(config);
    Checked checked = checks.run();
    FieldProblem.throwIfAny("the run", checks.problems);
    return Objects.requireNonNull(checked, "a run without problems was not checked");
  }

  /** The model of a run; empty where it cannot be read. */
  static Optional<ModelConfig> model(RunConfig config) {
    return Optional.ofNullable(new RunChecks(config).model());
  }

  private @Nullable Checked run() {
    ModelConfig model = model();
    Tokenizer tokenizer = tokenizer(model);
    ChatTemplate template = template(tokenizer);
    sources();
    tasks(tokenizer, template);
    collectives();
    layout(model);
    if (model == null || tokenizer == null || !problems.isEmpty()) {
      return null;
    }
    // The tokenizer has the last word: what ends its documents ends the model's texts.
    return new Checked(model.withTokenIds(tokenizer.bosId(), tokenizer.eosId()), tokenizer);
  }

  private void layout(@Nullable ModelConfig model) {
    if (model != null) {
      problems.addAll(
          ParallelChecks.problems(
              model, config.parallel(), config.layout(), config.data().sequenceLength()));
    }
  }

  private void collectives() {
    if (config.device().kind() == DeviceChoice.Kind.CPU) {
      List<Device> devices = Collections.nCopies(config.parallel().ranks(), Device.CPU);
      attempt(
          "parallel.collectives",
          () -> Transport.of(config.parallel().collectives(), devices, devices.size()));
    }
  }

  private @Nullable ModelConfig model() {
    ModelSettings settings = config.model();
    String field = settings.preset().isPresent() ? "model.preset" : "model.path";
    ModelConfig base = attempt(field, () -> ModelSource.base(settings));
    if (base == null) {
      return null;
    }
    boolean known = true;
    for (String key : settings.overrides().keySet()) {
      String place = "model.overrides." + key;
      known &= attempt(place, () -> ModelSource.requireKnown(key, settings)) != null;
    }
    if (!known) {
      return null;
    }
    ModelConfig model =
        settings.overrides().isEmpty()
            ? base
            : attempt("model.overrides", () -> ModelSource.config(settings));
    int length = config.data().sequenceLength();
    if (model != null && length > model.maxPositions()) {
      problems.add(
          new FieldProblem(
              "data.sequence_length",
              "data.sequence_length is "
                  + length
                  + ", but the model has "
                  + model.maxPositions()
                  + " positions",
              "Lower it, or set model.overrides: {max_position_embeddings: " + length + "}"));
    }
    ModelConfig trained = model == null ? null : trained(model);
    if (trained != null) {
      attempt("optimizer.rates", () -> rated(trained));
    }
    return trained;
  }

  /** Finds what has a rate of its own; refuses names that fit nothing. */
  private ModelConfig rated(ModelConfig model) {
    int depth = depth(model);
    List<Weight> trained =
        ModelFactory.declared(model, depth).weights().stream()
            .filter(weight -> weight.spec().trainable())
            .toList();
    UpdateRules updates = config.optimizer().updates();
    for (UpdateRules.Rate rate : updates.rates()) {
      if (rate.modules() instanceof NamePatterns.Within modules) {
        FrozenWeights.requireFitting(trained, modules, "weight that is trained");
      }
    }
    updates.of(model, depth);
    return model;
  }

  private int depth(ModelConfig model) {
    return config.adapter().isPresent() ? 0 : model.mtpModules();
  }

  private @Nullable ModelConfig trained(ModelConfig model) {
    return attempt(
        config.adapter().isPresent() ? "adapter" : "training.freeze",
        () -> {
          try {
            if (config.adapter().isPresent()) {
              return config.adapter().get().on(model);
            }
            ModelConfig trained = ModelSource.trained(config, model);
            List<Weight> weights = ModelFactory.declared(trained, depth(model)).weights();
            if (trained.frozen() instanceof NamePatterns.Within modules) {
              FrozenWeights.requireFitting(weights, modules, "weight of the model");
              FrozenWeights.requireTrained(weights);
            }
            return trained;
          } catch (IllegalArgumentException e) {
            throw new DuokaException(
                ErrorCode.CONFIG, String.valueOf(e.getMessage()), "Correct it", e);
          }
        });
  }

  private @Nullable Tokenizer tokenizer(@Nullable ModelConfig model) {
    String field = "data.tokenizer";
    Tokenizer tokenizer = attempt(field, () -> Tokenizer.load(config.data().tokenizer()));
    if (tokenizer == null) {
      return null;
    }
    if (attempt(field, tokenizer::requireEosId) == null) {
      return null;
    }
    if (model != null && tokenizer.vocabularySize() > model.vocabSize()) {
      problems.add(
          new FieldProblem(
              field,
              "the tokenizer "
                  + tokenizer.describe()
                  + " has ids up to "
                  + (tokenizer.vocabularySize() - 1)
                  + ", but the model's vocabulary has "
                  + model.vocabSize()
                  + " entries",
              config.model().loadWeights()
                  ? "Use the tokenizer that belongs to the weights of model.path"
                  : "Set model.overrides: {vocab_size: "
                      + tokenizer.vocabularySize()
                      + "}, or use the model's own tokenizer"));
    }
    attempt(field, () -> KeptEnds.of(config, tokenizer, Optional.empty()));
    return tokenizer;
  }

  /** Null where the run has none, or it cannot be used. */
  private @Nullable ChatTemplate template(@Nullable Tokenizer tokenizer) {
    DataSettings data = config.data();
    if (!data.usesTemplate()) {
      return null;
    }
    for (int i = 0; i < data.allSources().size(); i++) {
      SourceSettings source = data.allSources().get(i);
      if (source.chatTemplate().isPresent() && data.usesTemplate(source)) {
        String field =
            i < data.sources().size()
                ? "data.sources[" + i + "].chat_template"
                : "data.validation_sources";
        attempt(field, () -> RunData.template(data, source.chatTemplate(), tokenizer));
      }
    }
    String field = data.mainTemplate().isPresent() ? "data.chat_template" : "data.format";
    return attempt(field, () -> RunData.template(data, data.mainTemplate(), tokenizer));
  }

  /** Questions are encoded where they can be: what a template refuses is found before the run. */
  private void tasks(@Nullable Tokenizer tokenizer, @Nullable ChatTemplate template) {
    boolean encodes = tokenizer != null && (template != null || !config.data().usesTemplate());
    List<TaskSettings> tasks = config.validation().tasks();
    for (int i = 0; i < tasks.size(); i++) {
      TaskSettings task = tasks.get(i);
      attempt(
          "validation.tasks[" + i + "]",
          () -> {
            if (encodes && tokenizer != null) {
              Evaluations.check(config, task, tokenizer, Optional.ofNullable(template));
            } else {
              TaskFile.check(task);
            }
            return task;
          });
    }
  }

  private void sources() {
    DataSettings data = config.data();
    if (attempt("data.encoding", data::charset) == null) {
      return;
    }
    int found = 0;
    boolean records = false;
    for (SourceSettings settings : data.allSources()) {
      int index = data.sources().indexOf(settings);
      String field = index < 0 ? "data.validation_sources" : "data.sources[" + index + "]";
      try (DataSource source = DataSource.open(RunData.source(data, settings))) {
        found++;
        records |= source.hasRecords();
      } catch (DuokaException e) {
        problems.add(new FieldProblem(field, e.problem(), e.remedy()));
      }
    }
    boolean named = data.field().filter(name -> !name.equals(SourceSpec.DEFAULT_FIELD)).isPresent();
    boolean all = found == data.allSources().size();
    if (named && all && !records && data.format() == DataSettings.Format.AUTO) {
      problems.add(
          new FieldProblem(
              "data.field",
              "data.field is "
                  + data.field().orElseThrow()
                  + ", but data.sources hold plain text only, which has no fields",
              "Remove data.field, or set data.format to jsonl or parquet"));
    }
  }

  /** The result, or null after noting why there is none. */
  private <T> @Nullable T attempt(String field, Supplier<T> reading) {
    try {
      return reading.get();
    } catch (DuokaException e) {
      problems.add(new FieldProblem(field, e.problem(), e.remedy()));
      return null;
    }
  }
}
