package dev.duoka.data.tokenizer;

import java.util.List;

/** Cuts text into the pieces within which the model may merge. */
sealed interface PreTokenizer {
  /** Cuts every piece further; some kinds change the text too. */
  Pieces apply(Pieces pieces);

  /** One after the other. */
  record Sequence(List<PreTokenizer> steps) implements PreTokenizer {
    @Override
    public Pieces apply(Pieces pieces) {
      Pieces result = pieces;
      for (PreTokenizer step : steps) {
        result = step.apply(result);
      }
      return result;
    }
  }

  /** Cuts where a pattern matches; matching never looks beyond the piece. */
  record Split(SafePattern pattern, boolean invert, SplitBehavior behavior)
      implements PreTokenizer {
    @Override
    public Pieces apply(Pieces pieces) {
      Pieces result = new Pieces(pieces.text(), pieces.atStart(), pieces.count() * 2);
      SafePattern.Finder finder = pattern.finder(pieces.text());
      SplitBehavior.Cutter cutter = new SplitBehavior.Cutter(behavior, result);
      for (int i = 0; i < pieces.count(); i++) {
        int end = pieces.end(i);
        int done = pieces.start(i);
        finder.region(done, end);
        while (finder.find()) {
          if (done < finder.start()) {
            cutter.part(done, finder.start(), invert);
          }
          cutter.part(finder.start(), finder.end(), !invert);
          done = finder.end();
        }
        if (done < end) {
          cutter.part(done, end, invert);
        }
        cutter.finish();
      }
      return result;
    }
  }

  /** Writes each byte of the UTF-8 form as one letter ({@link ByteAlphabet}). */
  record ByteLevel(boolean addPrefixSpace, boolean useRegex) implements PreTokenizer {
    /** The pattern of GPT-2, which {@code use_regex} stands for. */
    private static final Split GPT2 =
        new Split(
            SafePattern.compile(
                "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+|"
                    + " ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"),
            false,
            SplitBehavior.ISOLATED);

    @Override
    public Pieces apply(Pieces pieces) {
      Pieces spaced = addPrefixSpace ? withPrefix(pieces) : pieces;
      return ByteAlphabet.map(useRegex ? GPT2.apply(spaced) : spaced);
    }

    private static Pieces withPrefix(Pieces pieces) {
      return pieces.rewrite((_, piece) -> piece.startsWith(" ") ? piece : " " + piece);
    }
  }

  /**
   * SentencePiece's way: spaces become a visible sign, which also begins each word.
   *
   * @param replacement the sign, one code point
   */
  record Metaspace(String replacement, Prepend prepend, boolean split) implements PreTokenizer {
    /** Where a sign is put in front of text that has none there. */
    enum Prepend {
      /** Every piece. */
      ALWAYS,
      /** Only the beginning of the whole input. */
      FIRST,
      /** Nowhere. */
      NEVER
    }

    @Override
    public Pieces apply(Pieces pieces) {
      int prefixed =
          switch (prepend) {
            case ALWAYS -> pieces.count();
            case FIRST -> pieces.atStart() && pieces.count() > 0 && pieces.start(0) == 0 ? 1 : 0;
            case NEVER -> 0;
          };
      Pieces signed =
          pieces.rewrite(
              (i, piece) -> {
                String text = piece.replace(" ", replacement);
                return i < prefixed && !text.startsWith(replacement) ? replacement + text : text;
              });
      return split
          ? new Split(SafePattern.literal(replacement), false, SplitBehavior.MERGED_WITH_NEXT)
              .apply(signed)
          : signed;
    }
  }
}
