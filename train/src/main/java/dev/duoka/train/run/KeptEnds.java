package dev.duoka.train.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.chat.ChatEncoder;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.data.tokenizer.ByteTokenizer;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.generate.GenerationConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The generation config that a run's checkpoints keep: the one beside its tokenizer, else the one
 * beside the model it starts from. What the run itself trains as an end is added to its ends.
 */
final class KeptEnds {
  private KeptEnds() {}

  /**
   * @param template of the chats that are trained on; empty for text
   * @return empty where neither folder says more than the tokenizer
   */
  static Optional<GenerationConfig> of(
      RunConfig config, Tokenizer tokenizer, Optional<ChatTemplate> template) {
    return besideTokenizer(config.data().tokenizer(), tokenizer)
        .or(() -> besideModel(config, tokenizer))
        .map(found -> found.withEnds(withTrained(found.ends(), tokenizer, template)));
  }

  /** At which tokens what the run's model writes ends. */
  static Set<Integer> all(RunConfig config, Tokenizer tokenizer, Optional<ChatTemplate> template) {
    return of(config, tokenizer, template)
        .map(GenerationConfig::ends)
        .orElseGet(() -> withTrained(Set.of(), tokenizer, template));
  }

  private static Optional<GenerationConfig> besideTokenizer(String name, Tokenizer tokenizer) {
    if (name.equals(ByteTokenizer.NAME)) {
      return Optional.empty();
    }
    Path folder = folder(Path.of(name));
    Optional<GenerationConfig> found = GenerationConfig.in(folder);
    found.ifPresent(
        generation -> {
          if (!isOf(tokenizer, generation)) {
            throw new DuokaException(
                ErrorCode.CONFIG,
                folder.resolve(GenerationConfig.FILE_NAME)
                    + " names the end tokens "
                    + new TreeSet<>(generation.ends())
                    + ", but the tokenizer beside it has "
                    + tokenizer.vocabularySize()
                    + " entries",
                "Take both files from the same model");
          }
        });
    return found;
  }

  /** Of a model with another tokenizer the numbers mean something else. */
  private static Optional<GenerationConfig> besideModel(RunConfig config, Tokenizer tokenizer) {
    return config
        .model()
        .path()
        .flatMap(path -> GenerationConfig.in(folder(path)))
        .filter(found -> isOf(tokenizer, found) && found.ends().contains(tokenizer.eosId()));
  }

  private static boolean isOf(Tokenizer tokenizer, GenerationConfig generation) {
    return generation.ends().stream().allMatch(id -> id >= 0 && id < tokenizer.vocabularySize());
  }

  private static Set<Integer> withTrained(
      Set<Integer> ends, Tokenizer tokenizer, Optional<ChatTemplate> template) {
    Set<Integer> all = new TreeSet<>(ends);
    all.add(tokenizer.requireEosId());
    template.ifPresent(chats -> new ChatEncoder(chats, tokenizer).endOfTurn().ifPresent(all::add));
    return all;
  }

  private static Path folder(Path path) {
    return Files.isDirectory(path) ? path : path.resolveSibling("");
  }
}
