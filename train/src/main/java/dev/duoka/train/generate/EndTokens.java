package dev.duoka.train.generate;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.chat.ChatEncoder;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.formats.modelconfig.ModelConfig;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/**
 * The tokens at which a model's text ends. What {@code generation_config.json} lists is what other
 * programs stop at, so it comes first; without it the tokenizer's eos token and its chat template's
 * end of a turn; and where the tokenizer names none, what {@code config.json} says.
 *
 * @param ids may be empty: then texts end by their length alone
 */
public record EndTokens(Set<Integer> ids) {
  public EndTokens {
    ids = Set.copyOf(ids);
  }

  /** Those of a checkpoint or another folder with a model. */
  public static EndTokens of(Path folder, Tokenizer tokenizer, ModelConfig config) {
    Set<Integer> ids = new TreeSet<>();
    GenerationConfig.in(folder).ifPresent(generation -> ids.addAll(generation.ends()));
    if (ids.isEmpty()) {
      addIfKnown(tokenizer.eosId(), ids);
      endOfTurn(folder, tokenizer).ifPresent(ids::add);
    }
    if (ids.isEmpty()) {
      addIfKnown(config.eosTokenId(), ids);
    }
    return new EndTokens(ids);
  }

  /** A template that cannot be run here, or not with this tokenizer, says nothing of ends. */
  private static OptionalInt endOfTurn(Path folder, Tokenizer tokenizer) {
    try {
      return ChatTemplate.beside(folder)
          .map(template -> new ChatEncoder(template, tokenizer).endOfTurn())
          .orElse(OptionalInt.empty());
    } catch (DuokaException e) {
      if (e.code() != ErrorCode.CONFIG && e.code() != ErrorCode.DATA) {
        throw e;
      }
      return OptionalInt.empty();
    }
  }

  /** Whether a text ends with this token. */
  public boolean contains(int token) {
    return ids.contains(token);
  }

  private static void addIfKnown(int id, Set<Integer> ids) {
    if (id >= 0) {
      ids.add(id);
    }
  }
}
