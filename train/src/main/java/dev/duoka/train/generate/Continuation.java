package dev.duoka.train.generate;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.tokenizer.StreamingDecoder;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.layer.KeyValueCache;
import dev.duoka.parallel.step.InferenceRank;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * How a prompt is continued, token by token: the same on every rank of a mesh, which all see the
 * same logits and so choose the same token.
 *
 * @param prompt token ids
 * @param ends the tokens that end a text
 */
record Continuation(List<Integer> prompt, Sampling sampling, Tokenizer tokenizer, EndTokens ends) {
  Continuation {
    prompt = List.copyOf(prompt);
  }

  /** How many tokens may follow, in a model of so many positions. */
  int limit(ModelConfig config) {
    return Math.min(sampling.maxTokens(), config.maxPositions() - prompt.size());
  }

  /**
   * Refuses a prompt that a model cannot continue.
   *
   * @throws DuokaException with what is wrong with it
   */
  void require(ModelConfig config) {
    if (prompt.isEmpty()) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "cannot continue an empty prompt: this tokenizer puts no token in front of a text",
          "Give a prompt of at least one character");
    }
    if (prompt.size() >= config.maxPositions()) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "the prompt has "
              + prompt.size()
              + " tokens, but the model has "
              + config.maxPositions()
              + " positions for prompt and answer",
          "Shorten the prompt to at most " + (config.maxPositions() - 1) + " tokens");
    }
    for (int id : prompt) {
      if (id < 0 || id >= config.vocabSize()) {
        throw new DuokaException(
            ErrorCode.DATA,
            "the prompt has the token "
                + id
                + ", but the model's ids end at "
                + (config.vocabSize() - 1),
            "Use the tokenizer that the model was trained with");
      }
    }
  }

  /**
   * Writes. Collective.
   *
   * @param output hears the new text bit by bit, as soon as characters are complete
   */
  Generation write(InferenceRank rank, Consumer<String> output) {
    long start = System.nanoTime();
    int limit = limit(rank.model().config());
    TokenSampler sampler = new TokenSampler(sampling);
    StreamingDecoder decoder = tokenizer.streamingDecoder();
    StringBuilder text = new StringBuilder();
    List<Integer> tokens = new ArrayList<>();
    Generation.End end =
        limit < sampling.maxTokens() ? Generation.End.CONTEXT_FULL : Generation.End.MAX_TOKENS;
    try (KeyValueCache cache = new KeyValueCache((long) prompt.size() + limit)) {
      long position = 0;
      int[] input = prompt.stream().mapToInt(Integer::intValue).toArray();
      while (tokens.size() < limit) {
        float[] logits = rank.logits(input, position, cache);
        position += input.length;
        int token = sampler.next(logits, Math.min(logits.length, tokenizer.vocabularySize()));
        tokens.add(token);
        if (ends.contains(token)) {
          end = Generation.End.END_TOKEN;
          break;
        }
        if (!tokenizer.isSpecial(token)) {
          emit(decoder.add(token), text, output);
        }
        input = new int[] {token};
      }
    }
    emit(decoder.finish(), text, output);
    return new Generation(
        text.toString(),
        List.copyOf(tokens),
        prompt.size(),
        end,
        (System.nanoTime() - start) * 1e-9);
  }

  private static void emit(String part, StringBuilder text, Consumer<String> output) {
    if (!part.isEmpty()) {
      text.append(part);
      output.accept(part);
    }
  }
}
