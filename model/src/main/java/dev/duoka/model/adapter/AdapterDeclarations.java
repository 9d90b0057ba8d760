package dev.duoka.model.adapter;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.engine.parameter.Axis;
import dev.duoka.engine.parameter.Initializer;
import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.engine.parameter.Section;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.model.weight.BlockRange;
import dev.duoka.model.weight.CheckpointTensor;
import dev.duoka.model.weight.Weight;
import dev.duoka.model.weight.WeightAdapter;
import dev.duoka.model.weight.WeightDeclarations;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Declares the adapters of a model beside its weights, which are frozen then. */
public final class AdapterDeclarations {
  private static final String WEIGHT = ".weight";
  static final String HEAD = "lm_head";

  private final WeightDeclarations declarations;
  private final AdapterConfig config;
  private final int layers;
  private final List<String> refused = new ArrayList<>();

  private AdapterDeclarations(WeightDeclarations declarations, AdapterConfig config, int layers) {
    this.declarations = declarations;
    this.config = config;
    this.layers = layers;
  }

  /**
   * Adds the adapters' weights to a model's, and freezes all others that are not trained whole.
   *
   * @param layers decoder layers of the model
   * @throws DuokaException when the config names what cannot have an adapter, or nothing at all
   */
  public static void add(WeightDeclarations declarations, AdapterConfig config, int layers) {
    new AdapterDeclarations(declarations, config, layers).add();
  }

  private void add() {
    boolean any = false;
    for (Weight weight : declarations.weights()) {
      if (isSaved(weight)) {
        any = true;
        continue;
      }
      freeze(weight);
      WeightAdapter adapter = adapter(weight);
      if (adapter != null) {
        weight.adaptBy(adapter);
        any = true;
      }
    }
    if (declarations.weights().stream().noneMatch(this::isHead) && names(HEAD)) {
      refused.add(HEAD + " (in this model the embedding, embed_tokens, which is no linear layer)");
    }
    if (!refused.isEmpty()) {
      throw problem(
          "an adapter was asked for beside " + String.join(", ", refused) + ", which takes none",
          "Linear layers of decoder layers and a head of its own take adapters; train others whole,"
              + " by train_whole in a run file (modules_to_save in PEFT's)");
    }
    if (!any) {
      AdapterNames.requireFitting(declarations.weights(), config, AdapterNames::inEither);
      throw problem(
          "no module of the model is one that the adapter names and is in its layers",
          "Check its target_modules and layers_to_transform, and that it is one of this model");
    }
    declarations.sortByBlock();
  }

  private void freeze(Weight weight) {
    boolean isMatrix = isExperts(weight) || isLinear(weight);
    if (config.baseForm().isInFourBits() && isMatrix && isInDecoderLayer(weight)) {
      weight.keepInFourBits(config.baseForm() == BaseForm.NF4);
    } else {
      weight.freeze();
    }
  }

  private static DuokaException problem(String problem, String remedy) {
    return new DuokaException(ErrorCode.CONFIG, problem, remedy);
  }

  private boolean isSaved(Weight weight) {
    if (config.saved().isEmpty() || isExperts(weight)) {
      return false;
    }
    long saved =
        weight.checkpointTensors().stream()
            .filter(tensor -> config.isSaved(tensor.module()))
            .count();
    if (saved > 0 && saved < weight.checkpointTensors().size()) {
      throw problem(
          "of "
              + weight.checkpointTensors().stream().map(CheckpointTensor::name).toList()
              + ", which are one weight here, only some are to be trained whole",
          "Name all of them in train_whole (PEFT's modules_to_save), or none");
    }
    return saved > 0;
  }

  /** Whether it is the matrices of stacked experts. */
  static boolean isExperts(Weight weight) {
    return weight.spec().sections().size() == 3;
  }

  /** Whether it is a matrix, and no router's. */
  static boolean isLinear(Weight weight) {
    return weight.spec().sections().size() == 2 && !weight.spec().has(Axis.EXPERTS);
  }

  private boolean isInDecoderLayer(Weight weight) {
    int block = weight.spec().block();
    return block > BlockRange.EMBEDDING && block < BlockRange.ofLayer(layers);
  }

  /** Whether it is the output head, where that is a weight of its own. */
  private boolean isHead(Weight weight) {
    return isLinear(weight) && weight.spec().block() == BlockRange.ofLayer(layers);
  }

  /** Whether an adapter is asked for by name; all linear layers are those of decoder layers. */
  private boolean names(String module) {
    return !(config.modules() instanceof NamePatterns.AllLinear) && config.adapts(module);
  }

  private @Nullable WeightAdapter adapter(Weight weight) {
    if (isExperts(weight)) {
      return isInDecoderLayer(weight) ? ofExperts(weight) : null;
    }
    if (isHead(weight)) {
      return config.modules() instanceof NamePatterns.AllLinear ? null : ofLinear(weight);
    }
    return isLinear(weight) && isInDecoderLayer(weight) ? ofLinear(weight) : withoutAdapter(weight);
  }

  /** Notes what is asked for beside a weight that cannot have it. */
  private @Nullable WeightAdapter withoutAdapter(Weight weight) {
    if (weight.spec().block() <= BlockRange.ofLayer(layers)) {
      weight.checkpointTensors().stream()
          .filter(tensor -> !tensor.isBias()) // the adapter is beside the matrix
          .map(CheckpointTensor::module)
          .filter(this::names)
          .forEach(refused::add);
    }
    return null;
  }

  private @Nullable WeightAdapter ofLinear(Weight weight) {
    ParameterSpec spec = weight.spec();
    List<Section> rows = spec.sections().getFirst();
    List<CheckpointTensor> downTensors = new ArrayList<>();
    List<WeightAdapter.Part> parts = new ArrayList<>();
    long in = spec.shape().getLast();
    long width = 0;
    int section = 0;
    for (CheckpointTensor tensor : weight.checkpointTensors()) {
      List<Section> outputs = sections(rows, section, tensor.shape().getFirst());
      String module = tensor.module();
      if (config.adapts(module)) {
        long its = config.rankOf(module);
        downTensors.add(
            new CheckpointTensor(AdapterFile.down(module), width * in, List.of(its, in)));
        parts.add(part(weight, module, outputs, width, section));
        width += its;
      }
      section += outputs.size();
    }
    if (parts.isEmpty()) {
      return null;
    }
    ParameterSpec down =
        new ParameterSpec(
            prefix(spec) + AdapterFile.DOWN,
            List.of(List.of(Section.of(Axis.LORA, width)), spec.sections().getLast()),
            start(in),
            spec.block());
    return new WeightAdapter(declarations.adapter(down, downTensors), parts, config.dropout());
  }

  /** Kaiming's uniform start with a = √5, as PEFT has it. */
  private static Initializer start(long in) {
    return new Initializer.Uniform(1 / Math.sqrt((double) in));
  }

  private WeightAdapter.Part part(
      Weight weight, String module, List<Section> outputs, long row, int firstSection) {
    int block = weight.spec().block();
    long out = outputs.stream().mapToLong(Section::length).sum();
    long width = config.rankOf(module);
    Weight up =
        declarations.adapter(
            new ParameterSpec(
                module + AdapterFile.UP,
                List.of(outputs, List.of(Section.of(Axis.LORA, width))),
                new Initializer.Constant(0),
                block),
            List.of(new CheckpointTensor(AdapterFile.up(module), 0, List.of(out, width))));
    Weight magnitude =
        config.magnitudes()
            ? declarations.adapter(
                new ParameterSpec(
                    module + AdapterFile.MAGNITUDE,
                    List.of(outputs),
                    new Initializer.Constant(1),
                    block),
                List.of(new CheckpointTensor(AdapterFile.magnitude(module), 0, List.of(out))))
            : null;
    return new WeightAdapter.Part(module, up, magnitude, config.scaleOf(module), row, firstSection);
  }

  /** The sections from one on that take so many rows. */
  private static List<Section> sections(List<Section> rows, int first, long count) {
    List<Section> taken = new ArrayList<>();
    long sum = 0;
    for (int i = first; sum < count; i++) {
      taken.add(rows.get(i));
      sum += rows.get(i).length();
    }
    return taken;
  }

  private @Nullable WeightAdapter ofExperts(Weight weight) {
    String name = weight.spec().name();
    if (!config.adaptsExperts(name)) {
      return null;
    }
    if (config.magnitudes()) {
      throw notOfExperts(name, "magnitudes (DoRA)", "dora (PEFT's use_dora) to false");
    }
    if (config.dropout() > 0) {
      throw notOfExperts(name, "dropout", "the dropout to 0");
    }
    List<List<Section>> sections = weight.spec().sections();
    long experts = sections.getFirst().getFirst().count();
    long width = config.rankOf(name);
    long in = weight.spec().shape().getLast();
    long out = weight.spec().shape().get(1);
    List<Section> inner = List.of(Section.of(Axis.LORA, width));
    int block = weight.spec().block();
    Weight down =
        declarations.adapter(
            new ParameterSpec(
                name + AdapterFile.DOWN,
                List.of(sections.getFirst(), inner, sections.getLast()),
                start(in),
                block),
            List.of(new CheckpointTensor(AdapterFile.down(name), 0, List.of(experts, width, in))));
    Weight up =
        declarations.adapter(
            new ParameterSpec(
                name + AdapterFile.UP,
                List.of(sections.getFirst(), sections.get(1), inner),
                new Initializer.Constant(0),
                block),
            List.of(new CheckpointTensor(AdapterFile.up(name), 0, List.of(experts, out, width))));
    return new WeightAdapter(
        down, List.of(new WeightAdapter.Part(name, up, null, config.scaleOf(name), 0, 0)), 0);
  }

  private static DuokaException notOfExperts(String name, String what, String setting) {
    return problem(
        "the adapter has "
            + what
            + ", and experts (PEFT's target_parameters) names "
            + name
            + ": adapters on stacked experts have no "
            + what
            + ", in PEFT's form",
        "Leave them out of experts, or set " + setting);
  }

  private static String prefix(ParameterSpec spec) {
    String name = spec.name();
    return name.endsWith(WEIGHT) ? name.substring(0, name.length() - WEIGHT.length()) : name;
  }
}
