package dev.duoka.model.adapter;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.NearestName;
import dev.duoka.base.Plural;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.formats.adapter.AdapterFolder;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.model.weight.CheckpointTensor;
import dev.duoka.model.weight.StoredTensors;
import dev.duoka.model.weight.Weight;
import dev.duoka.model.weight.WeightAdapter;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * An adapter's weights in PEFT's form, {@code adapter_model.safetensors} (huggingface/peft 0.21,
 * {@code get_peft_model_state_dict} and {@code ParamWrapper}): which tensor of the file is which of
 * ours. Matrices of experts are stacked there in two dimensions: A by expert, B with the experts
 * innermost.
 */
public final class AdapterFile {
  /** The file's name in an adapter's folder. */
  public static final String FILE_NAME = AdapterFolder.WEIGHTS;

  /** What PEFT puts before the names that transformers gives. */
  public static final String PREFIX = "base_model.model.";

  static final String DOWN = ".lora_A";
  static final String UP = ".lora_B";
  static final String MAGNITUDE = ".lora_magnitude_vector";

  private static final String WEIGHT = ".weight";
  private static final String HEAD = "lm_head";

  /** How a tensor of the file lies in ours. */
  public enum Form {
    /** As it is. */
    SAME,
    /** {@code [experts · width, in]} for {@code [experts, width, in]}. */
    EXPERTS_DOWN,
    /** {@code [out, width · experts]} for {@code [experts, out, width]}. */
    EXPERTS_UP
  }

  /**
   * A tensor of the file.
   *
   * @param name in the file, without {@link #PREFIX}
   * @param weight ours that it belongs to
   * @param part where it lies in the weight
   */
  public record FileTensor(String name, Weight weight, CheckpointTensor part, Form form) {
    /** Its shape in the file. */
    public List<Long> shape() {
      List<Long> ours = part.shape();
      return switch (form) {
        case SAME -> ours;
        case EXPERTS_DOWN -> List.of(ours.get(0) * ours.get(1), ours.get(2));
        case EXPERTS_UP -> List.of(ours.get(1), ours.get(2) * ours.get(0));
      };
    }

    /** The file's tensor as ours, {@code [rows, columns]} of the weight; dense. */
    Tensor fromFile(Tensor stored) {
      List<Long> ours = part.shape();
      Tensor arranged =
          form == Form.EXPERTS_UP
              ? Views.transpose(
                  Views.transpose(
                      Views.reshape(stored, ours.get(1), ours.get(2), ours.get(0)), 1, 2),
                  0,
                  1)
              : stored;
      return Views.reshape(Views.dense(arranged), -1, columns());
    }

    /** Ours, in its shape in the weight, as the file has it; dense. */
    public Tensor toFile(Tensor own) {
      long[] shape = shape().stream().mapToLong(Long::longValue).toArray();
      if (form != Form.EXPERTS_UP) {
        return Views.reshape(Views.dense(own), shape);
      }
      List<Long> ours = part.shape();
      Tensor whole = Views.reshape(Views.dense(own), ours.get(0), ours.get(1), ours.get(2));
      Tensor arranged = Views.transpose(Views.transpose(whole, 0, 1), 1, 2);
      return Views.reshape(Views.dense(arranged), shape);
    }

    /** Numbers of ours, in the order of its part of the weight, as the file has them. */
    public double[] toFile(double[] own) {
      long[] shape = part.shape().stream().mapToLong(Long::longValue).toArray();
      try (Scope _ = Scope.open()) {
        return HostCopy.doubles(
            toFile(HostCopy.fromDoubles(own, Dtype.FLOAT64, Device.CPU, shape)));
      }
    }

    private long columns() {
      return weight.spec().portion().columns();
    }
  }

  private AdapterFile() {}

  static String down(String module) {
    return module + DOWN + WEIGHT;
  }

  static String up(String module) {
    return module + UP + WEIGHT;
  }

  static String magnitude(String module) {
    return module + MAGNITUDE;
  }

  /** The file's tensors of a model with an adapter, or of the part of it that is here. */
  public static List<FileTensor> tensors(List<Weight> weights) {
    List<FileTensor> all = new ArrayList<>();
    Map<String, Integer> wrapped = new HashMap<>();
    for (Weight weight : weights.reversed()) { // PEFT wraps the first parameter of a module first
      WeightAdapter adapter = weight.adaptedBy();
      if (adapter != null && weight.spec().sections().size() == 3) {
        String name = weight.spec().name();
        String module = name.substring(0, name.lastIndexOf('.'));
        int depth = wrapped.getOrDefault(module, 0);
        wrapped.put(module, depth + 1);
        String path = module + ".base_layer".repeat(depth);
        all.add(only(path + DOWN + WEIGHT, adapter.down(), Form.EXPERTS_DOWN));
        all.add(only(path + UP + WEIGHT, adapter.parts().getFirst().up(), Form.EXPERTS_UP));
      } else if (adapter != null) {
        for (Weight one : adapter.weights()) {
          one.checkpointTensors()
              .forEach(tensor -> all.add(new FileTensor(tensor.name(), one, tensor, Form.SAME)));
        }
      } else if (weight.spec().trainable() && !weight.isAdapter()) {
        weight
            .checkpointTensors()
            .forEach(tensor -> all.add(new FileTensor(tensor.name(), weight, tensor, Form.SAME)));
      }
    }
    return all;
  }

  private static FileTensor only(String name, Weight weight, Form form) {
    return new FileTensor(name, weight, weight.checkpointTensors().getFirst(), form);
  }

  /**
   * Refuses a file that is not the one of a model's adapter. Whoever reads a part of it asks this
   * first: what a rank or an export passes over would be left out of the model in silence.
   *
   * @param weights of the whole model, be they here or only declared
   * @throws DuokaException when the file lacks a tensor, has another shape, or one that the model
   *     lacks
   */
  public static void require(SafetensorsFolder folder, List<Weight> weights) {
    Set<String> unused = new LinkedHashSet<>();
    folder.tensors().forEach(entry -> unused.add(entry.name()));
    for (FileTensor tensor : tensors(weights)) {
      String name = PREFIX + tensor.name();
      if (!unused.remove(name)) {
        throw wrong(
            folder,
            "it lacks " + name,
            unused.isEmpty()
                ? "Copy or download the file again"
                : NearestName.hint(name, unused.stream().limit(200).toList()));
      }
      TensorEntry entry = folder.entry(name);
      if (!entry.shape().equals(tensor.shape())) {
        throw wrong(
            folder,
            name + " has the shape " + entry.shape() + ", and the model wants " + tensor.shape(),
            "Check that adapter_config.json and the base model belong to it");
      }
    }
    if (!unused.isEmpty()) {
      String other = unused.iterator().next();
      boolean ofHead = weights.stream().noneMatch(AdapterFile::isHead) && other.contains(HEAD);
      throw wrong(
          folder,
          "it has "
              + other
              + ofWhat(unused.size())
              + ", which "
              + (ofHead
                  ? "this base does not have: its embedding is its head"
                  : "adapter_config.json does not speak of"),
          "Check that the files belong together and to this base model");
    }
  }

  private static boolean isHead(Weight weight) {
    return weight.spec().name().contains(HEAD);
  }

  private static String ofWhat(int count) {
    return count == 1 ? "" : " and " + Plural.of(count - 1, "other tensor");
  }

  /**
   * Fills what is here of a model's adapter, and of weights that are trained whole.
   *
   * @param folder a file that {@link #require} has let through
   * @param weights of the model, all that are here
   */
  public static void read(SafetensorsFolder folder, List<Weight> weights) {
    for (FileTensor tensor : tensors(weights)) {
      copy(folder, folder.entry(PREFIX + tensor.name()), tensor);
    }
  }

  private static void copy(SafetensorsFolder folder, TensorEntry entry, FileTensor tensor) {
    Parameter parameter = tensor.weight().parameter();
    Portion portion = parameter.spec().portion();
    long firstRow = tensor.part().offset() / portion.columns();
    long rows = tensor.part().elements() / portion.columns();
    if (!portion.touches(firstRow, rows)) {
      return;
    }
    try (Scope _ = Scope.open();
        Tensor stored = StoredTensors.read(folder, entry)) {
      portion.take(tensor.fromFile(stored), firstRow, parameter.value());
    }
  }

  private static DuokaException wrong(SafetensorsFolder folder, String problem, String remedy) {
    return new DuokaException(
        ErrorCode.FORMAT, "cannot use the adapter of " + folder.path() + ": " + problem, remedy);
  }
}
