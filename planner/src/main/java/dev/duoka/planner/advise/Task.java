package dev.duoka.planner.advise;

import dev.duoka.layout.Method;
import dev.duoka.planner.shape.ModelShape;
import java.util.List;
import java.util.Locale;

/** What the machine is for. */
public enum Task {
  /** Training from scratch: all weights. */
  PRETRAIN(1 << 20),
  /** Training a model further: all weights where they fit, else adapters. */
  FINETUNE(1 << 17);

  /** Tokens per parameter that train a model well for its size (arXiv 2203.15556). */
  private static final long TOKENS_PER_PARAMETER = 20;

  private static final long FINETUNE_TOKENS = 100_000_000;

  private final long tokensPerStep;

  Task(long tokensPerStep) {
    this.tokensPerStep = tokensPerStep;
  }

  /** The methods to try, best first. */
  public List<Method> methods() {
    return switch (this) {
      case PRETRAIN -> List.of(Method.FULL);
      case FINETUNE -> List.of(Method.FULL, Method.LORA, Method.QLORA);
    };
  }

  /** The batch that is assumed. */
  public long tokensPerStep() {
    return tokensPerStep;
  }

  /** The tokens that are assumed where none are given. */
  public long tokens(ModelShape shape) {
    return this == PRETRAIN ? TOKENS_PER_PARAMETER * shape.activeParameters() : FINETUNE_TOKENS;
  }

  /** For example {@code pretrain}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
