package dev.duoka.data.tokenizer;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/** The ids of bos, eos and pad, and those that stand around a prompt. */
final class SpecialIds {
  /** What families of models call these tokens, for a file that has no configuration beside it. */
  private static final List<String> BOS_NAMES =
      List.of("<｜begin▁of▁sentence｜>", "<s>", "<|begin_of_text|>");

  private static final List<String> EOS_NAMES =
      List.of("<｜end▁of▁sentence｜>", "</s>", "<|end_of_text|>", "<|endoftext|>");

  private static final List<String> PAD_NAMES = List.of("<｜▁pad▁｜>", "<pad>", "[PAD]");

  private final int bos;
  private final int eos;
  private final int pad;
  private final int[] before;
  private final int[] after;

  private SpecialIds(int bos, int eos, int pad, int[] before, int[] after) {
    this.bos = bos;
    this.eos = eos;
    this.pad = pad;
    this.before = before;
    this.after = after;
  }

  /**
   * @param template the tokens around a text as tokenizer.json has them; {@code names} is stronger
   * @param isSpecial which ids mark structure: a token of an ordinary text is never guessed to
   * @param file the tokenizer, for errors
   */
  static SpecialIds of(
      SpecialTokenNames names,
      SurroundingTokens template,
      ToIntFunction<String> idOf,
      IntPredicate isSpecial,
      String file) {
    ToIntFunction<String> specialIdOf =
        name -> {
          int id = idOf.applyAsInt(name);
          return id >= 0 && isSpecial.test(id) ? id : Tokenizer.NONE;
        };
    int bos = id(names.bos(), BOS_NAMES, idOf, specialIdOf, file);
    int eos = id(names.eos(), EOS_NAMES, idOf, specialIdOf, file);
    int pad = id(names.pad(), PAD_NAMES, idOf, specialIdOf, file);
    return new SpecialIds(
        bos,
        eos,
        pad,
        around(names.addBos(), bos, template.before()),
        around(names.addEos(), eos, template.after()));
  }

  int bos() {
    return bos;
  }

  int eos() {
    return eos;
  }

  int pad() {
    return pad;
  }

  int[] before() {
    return before;
  }

  int[] after() {
    return after;
  }

  @Override
  public String toString() {
    return "bos "
        + bos
        + ", eos "
        + eos
        + ", pad "
        + pad
        + ", before "
        + Arrays.toString(before)
        + ", after "
        + Arrays.toString(after);
  }

  private static int id(
      SpecialTokenNames.Declared declared,
      List<String> usual,
      ToIntFunction<String> idOf,
      ToIntFunction<String> specialIdOf,
      String file) {
    String name = declared.name();
    if (name != null) {
      int id = idOf.applyAsInt(name);
      if (id < 0) {
        throw new DuokaException(
            ErrorCode.FORMAT,
            "cannot use tokenizer "
                + file
                + ": the configuration beside it names the token '"
                + name
                + "', which it does not have",
            "Take tokenizer.json and tokenizer_config.json from the same model.");
      }
      return id;
    }
    return declared.isSaid()
        ? Tokenizer.NONE
        : usual.stream()
            .mapToInt(specialIdOf)
            .filter(id -> id >= 0)
            .findFirst()
            .orElse(Tokenizer.NONE);
  }

  private static int[] around(@Nullable Boolean add, int id, List<Integer> template) {
    if (add == null) {
      return template.stream().mapToInt(Integer::intValue).toArray();
    }
    return add && id >= 0 ? new int[] {id} : new int[0];
  }
}
