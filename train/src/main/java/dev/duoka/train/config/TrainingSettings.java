package dev.duoka.train.config;

import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.train.config.binding.Doc;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** Section {@code training}: the batch, the length of the run and its arithmetic. */
public record TrainingSettings(
    @Doc(
            value =
                "The batch: tokens that one optimizer step sees over all ranks. Sequences per rank"
                    + " and gradient accumulation derive from it.",
            unit = "tokens",
            range = "[1, 1099511627776]")
        long tokensPerStep,
    @Doc(
            value = "Sequences that one rank computes at once.",
            unit = "sequences",
            whenAbsent =
                "the largest divisor of a rank's sequences that holds at most 16 384 tokens",
            range = "[1, 1048576]")
        OptionalInt microBatch,
    @Doc(
            value =
                "Length of the run in optimizer steps. Exactly one of `steps`, `tokens` and"
                    + " `epochs` is set.",
            unit = "steps",
            whenAbsent = "`tokens` or `epochs` decides",
            range = "[1, 1000000000]")
        OptionalLong steps,
    @Doc(
            value = "Length of the run in training tokens, rounded up to whole steps.",
            unit = "tokens",
            whenAbsent = "`steps` or `epochs` decides",
            range = "[1, 1000000000000000]")
        OptionalLong tokens,
    @Doc(
            value = "Length of the run in passes over the training split; may be a fraction.",
            unit = "epochs",
            whenAbsent = "`steps` or `tokens` decides",
            range = "(0, 100000]")
        OptionalDouble epochs,
    @Doc(
            value =
                "Arithmetic of the forward and backward pass. All but `fp32` keep fp32 master"
                    + " weights and main gradients; softmax, norms and loss are fp32 always. `fp8`"
                    + " is `bf16` with the products of linear layers in 8 bits, scaled as in"
                    + " DeepSeek-V3; on a GPU it needs compute capability 9.0 and CUDA 12.9.",
            byDefault = "fp32",
            range = "fp32, bf16, fp16, fp8")
        Precision precision,
    @Doc(
            value =
                "What the backward pass computes again instead of keeping: `none`, the cheap"
                    + " operations (`selective`), or whole layers (`full`).",
            byDefault = "none")
        Recompute recompute,
    @Doc(
            value =
                "Weights that are not trained, by names of transformers that stand anywhere in"
                    + " theirs as a whole: `[embed_tokens, 'layers[0:8]', 'layers[8:].mlp']`."
                    + " Numbers count from 0, and the end of a range is not in it. A frozen weight"
                    + " has neither gradient nor optimizer state, and below the lowest weight that"
                    + " is trained there is no backward pass. The routing bias of a frozen router"
                    + " stays. Checkpoints hold frozen weights in the precision of the run.",
            byDefault = "[]")
        List<String> freeze,
    @Doc(
            value =
                "α of noise that is added to embeddings in training alone (NEFTune, 2023): uniform"
                    + " from −1 to 1, times α / √(tokens of a sequence × width), padding counted. 5"
                    + " to 15 are usual for instruction tuning; 0 for none. Which noise follows"
                    + " from `training.seed`, the step and the token alone.",
            byDefault = "0",
            range = "[0, 1000]")
        double embeddingNoise,
    @Doc(
            value = "Seed of the weights and, where `data.seed` is not set, of the data order.",
            byDefault = "1234")
        long seed,
    @Doc(
            value =
                "Use only operations whose result does not depend on timing, so that two runs give"
                    + " the same bits. On CUDA attention is then LibTorch's flash attention and"
                    + " products run by cuBLAS's own choice of algorithm: 16 to 24 % slower on an"
                    + " H100. Elsewhere nothing changes.",
            byDefault = "false")
        boolean deterministic) {
  public TrainingSettings {
    freeze = List.copyOf(freeze);
  }

  /**
   * The modules that {@link #freeze} names.
   *
   * @throws IllegalArgumentException when one is no name
   */
  public NamePatterns frozen() {
    return freeze.isEmpty() ? NamePatterns.NONE : new NamePatterns.Within(freeze);
  }

  /**
   * The one of {@link #steps}, {@link #tokens} and {@link #epochs} that is set.
   *
   * @throws IllegalStateException if none is, which the reader of run files rules out
   */
  public TrainingLength length() {
    if (steps.isPresent()) {
      return new TrainingLength.Steps(steps.getAsLong());
    }
    if (tokens.isPresent()) {
      return new TrainingLength.Tokens(tokens.getAsLong());
    }
    return new TrainingLength.Epochs(
        epochs.orElseThrow(() -> new IllegalStateException("the run has no length")));
  }
}
