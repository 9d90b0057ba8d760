package dev.duoka.train.memory;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.layer.KeyValueCache;
import dev.duoka.model.layer.Pass;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.DryRunDevice;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.ThreadLedger;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.EnumMap;
import java.util.Map;

/**
 * The memory of a model that writes: its weights, and what a prompt and the keys and values of all
 * tokens take, counted by running the prompt with shapes alone.
 *
 * @param model which
 * @param dtype of weights and activations
 * @param device where it runs
 */
public record GenerationMemory(ModelConfig model, Dtype dtype, Device device) {
  /**
   * Refuses a model that does not fit with the shortest of texts.
   *
   * @throws dev.duoka.base.DuokaException with the figures
   */
  public void requireModel() {
    MemoryCheck.require(
        "the model, in " + dtype + ",",
        device,
        MemoryNeed.of(run(1, 2), 1),
        _ -> "Take a smaller model, or a device with more memory");
  }

  /**
   * Refuses a text that does not fit beside the model, which is there already.
   *
   * @param prompt tokens of it
   * @param tokens of prompt and answer together
   * @throws dev.duoka.base.DuokaException with the figures
   */
  public void requireText(int prompt, long tokens) {
    Map<MemoryOwner, Long> more = new EnumMap<>(run(prompt, tokens));
    more.remove(MemoryOwner.WEIGHTS);
    more.remove(MemoryOwner.CONSTANTS);
    MemoryCheck.require(
        "a prompt of " + prompt + " tokens with room for " + tokens + " in all",
        device,
        MemoryNeed.of(more, 1),
        _ -> "Shorten the prompt, or ask for fewer tokens");
  }

  /** Bytes by owner at the peak. */
  Map<MemoryOwner, Long> run(int prompt, long tokens) {
    return DryRunDevice.of(device, () -> dryRun(prompt, tokens));
  }

  private Map<MemoryOwner, Long> dryRun(int prompt, long tokens) {
    try (ThreadLedger mine = ThreadLedger.open(Device.META);
        LanguageModel shapes =
            ModelFactory.create(
                model,
                new ModelFactory.Allocation(dtype, Device.META, false, model.maxPositions(), 0));
        KeyValueCache cache = new KeyValueCache(tokens);
        Scope _ = Scope.open(MemoryOwner.ACTIVATIONS);
        Tape tape = Tape.inference()) {
      Tensor ids = Tensors.empty(Dtype.INT64, Device.META, 1, prompt);
      Pass pass = Pass.generating(tape, 1, 0, shapes.rotary(), cache);
      Tensor hidden = shapes.hidden(pass, ids).value();
      shapes.logits(Views.narrow(hidden, 0, prompt - 1, 1));
      return mine.ledger().peakByOwner();
    }
  }
}
