package dev.duoka.train.memory;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.SingleRank;
import dev.duoka.comm.meta.MetaCommunicator;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.layer.KeyValueCache;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.InferenceRank;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.DryRunDevice;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.ThreadLedger;
import dev.duoka.tensor.op.Tensors;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * The memory of a model that writes: its weights, and what a prompt and the keys and values of all
 * tokens take, counted by running the prompt with shapes alone.
 *
 * @param model which
 * @param dtype of weights and activations
 * @param mesh of the ranks that have parts of it
 * @param layers of each stage; empty for stages of about equal cost
 * @param devices where each rank runs
 */
public record GenerationMemory(
    ModelConfig model, Dtype dtype, Mesh mesh, List<Integer> layers, List<Device> devices) {
  /** What takes less of a model. */
  public static final String SMALLER_MODEL =
      "Take a smaller model, or devices with more memory, or share it out over more with --mesh";

  /** What takes less of a text. */
  public static final String SHORTER_TEXT = "Shorten the prompt, or ask for fewer tokens";

  public GenerationMemory {
    layers = List.copyOf(layers);
    devices = List.copyOf(devices);
  }

  /** Of a whole model on one device. */
  public GenerationMemory(ModelConfig model, Dtype dtype, Device device) {
    this(model, dtype, new Mesh(1, 1, 1, 1, 1, 1), List.of(), List.of(device));
  }

  /**
   * Refuses a model that does not fit with the shortest of texts.
   *
   * @throws dev.duoka.base.DuokaException with the figures
   */
  public void requireModel() {
    require("the model, in " + dtype + ",", 1, 2, UnaryOperator.identity(), SMALLER_MODEL);
  }

  /**
   * Refuses a text that does not fit beside the model, which is there already.
   *
   * @param prompt tokens of it
   * @param tokens of prompt and answer together
   * @throws dev.duoka.base.DuokaException with the figures
   */
  public void requireText(int prompt, long tokens) {
    require(
        "a prompt of " + prompt + " tokens with room for " + tokens + " in all",
        prompt,
        tokens,
        GenerationMemory::withoutModel,
        SHORTER_TEXT);
  }

  /**
   * Refuses a model and a text that do not fit together, before either is there.
   *
   * @param prompt as in the other method
   * @param tokens likewise
   * @throws dev.duoka.base.DuokaException with the figures
   */
  public void requireModelAndText(int prompt, long tokens) {
    require(
        "the model, in " + dtype + ", with " + tokens + " tokens,",
        prompt,
        tokens,
        UnaryOperator.identity(),
        "Share it out over more devices with --mesh, or ask for fewer tokens");
  }

  /**
   * What something of a model that writes gives. Where memory runs out in it, though it was counted
   * to suffice, that is said of it, with what takes less.
   *
   * @param what is done, for example {@code loading the model}
   * @param remedy what takes less of it
   * @throws dev.duoka.base.DuokaException of code {@code OUT_OF_MEMORY}
   */
  public static <T> T during(String what, String remedy, Supplier<T> work) {
    try {
      return work.get();
    } catch (DuokaException e) {
      throw e.code() == ErrorCode.OUT_OF_MEMORY
          ? new DuokaException(e.code(), what + ": " + e.problem(), remedy, e)
          : e;
    }
  }

  private static Map<MemoryOwner, Long> withoutModel(Map<MemoryOwner, Long> all) {
    Map<MemoryOwner, Long> more = new EnumMap<>(all);
    more.remove(MemoryOwner.WEIGHTS);
    more.remove(MemoryOwner.CONSTANTS);
    return more;
  }

  private void require(
      String what,
      int prompt,
      long tokens,
      UnaryOperator<Map<MemoryOwner, Long>> part,
      String remedy) {
    for (Device device : new LinkedHashSet<>(devices)) {
      MemoryNeed need = MemoryNeed.of(Map.of(), 1);
      for (int rank = 0; rank < devices.size(); rank++) {
        if (devices.get(rank).equals(device)) {
          need = need.plus(MemoryNeed.of(part.apply(run(rank, prompt, tokens)), 1));
        }
      }
      MemoryCheck.require(what, device, need, _ -> remedy);
    }
  }

  /** Bytes by owner at the peak of a rank. */
  Map<MemoryOwner, Long> run(int rank, int prompt, long tokens) {
    return DryRunDevice.of(devices.get(rank), () -> dryRun(rank, prompt, tokens));
  }

  private Map<MemoryOwner, Long> dryRun(int rank, int prompt, long tokens) {
    try (ThreadLedger mine = ThreadLedger.open(Device.META);
        InferenceRank shapes =
            InferenceRank.allocate(
                mesh,
                layers,
                mesh.size() == 1
                    ? new SingleRank()
                    : new MetaCommunicator(rank, mesh.size(), ExchangeLedger.NONE),
                Device.META,
                model,
                dtype);
        KeyValueCache cache = new KeyValueCache(tokens);
        Scope _ = Scope.open(MemoryOwner.ACTIVATIONS)) {
      Tensor ids = Tensors.empty(Dtype.INT64, Device.META, 1, prompt);
      shapes.dryPass(ids, cache);
      return mine.ledger().peakByOwner();
    }
  }
}
