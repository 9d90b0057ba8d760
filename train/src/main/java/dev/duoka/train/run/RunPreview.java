package dev.duoka.train.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Percent;
import dev.duoka.data.batch.Sample;
import dev.duoka.data.batch.SequenceMixture;
import dev.duoka.data.batch.SequenceSet;
import dev.duoka.data.batch.SplitPart;
import dev.duoka.data.batch.TrainingOrder;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.data.training.TrainingData;
import dev.duoka.train.config.RunConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;

/**
 * The first sequences of a run as its model sees them. The data is tokenised and packed as for the
 * run itself, into the same cache; no model is made, and LibTorch is not loaded.
 *
 * @param part of the data
 * @param count sequences that the part has
 * @param length tokens of a sequence
 * @param apart whether documents of a sequence do not see each other
 * @param sequences the first ones: of training in the order of its first epoch
 */
public record RunPreview(
    SplitPart part, long count, int length, boolean apart, List<Shown> sequences) {

  /**
   * One sequence.
   *
   * @param number from 1
   * @param learned tokens that the loss asks for
   * @param padding tokens at the end that are none of the data
   */
  public record Shown(long number, int tokens, int learned, int padding, List<Stretch> documents) {
    /** How many of the tokens the loss asks for, for people. */
    public String share() {
      return Percent.whole((double) learned / tokens);
    }
  }

  /**
   * What a sequence has of one document.
   *
   * @param before tokens of the document that are cut off before it
   * @param behind tokens that are cut off behind it, or stand in the next sequence
   * @param pieces its text
   */
  public record Stretch(int tokens, int learned, long before, long behind, List<Piece> pieces) {}

  /**
   * Tokens of one kind.
   *
   * @param special whether it is one token that marks structure
   */
  public record Piece(String text, boolean learned, boolean special) {}

  /**
   * Reads the first sequences.
   *
   * @param most how many, at least 1
   * @param listener hears of tokenising, and of what was cut or left out
   * @throws DuokaException if the data cannot be used, or the part has none
   */
  public static RunPreview of(
      RunConfig config, SplitPart part, int most, TokenisationListener listener) {
    Tokenizer tokenizer = Tokenizer.load(config.data().tokenizer());
    TrainingData data = RunData.open(config, tokenizer, listener);
    return switch (part) {
      case TRAIN -> {
        TrainingOrder order = new TrainingOrder(data.training(), RunData.seed(config));
        yield of(part, data.training(), most, order::sample, tokenizer);
      }
      case VALIDATION -> {
        SequenceSet held = data.validation();
        if (held == null) {
          throw new DuokaException(
              ErrorCode.CONFIG,
              "there is no validation part to show: data.validation_fraction is "
                  + config.data().heldOut(),
              "Raise it, name data.validation_sources, or leave --part out.");
        }
        yield of(part, SequenceMixture.of(held), most, held::sample, tokenizer);
      }
    };
  }

  private static RunPreview of(
      SplitPart part,
      SequenceMixture all,
      int most,
      LongFunction<Sample> sample,
      Tokenizer tokenizer) {
    List<Shown> sequences = new ArrayList<>();
    for (long i = 0; i < Math.min(most, all.count()); i++) {
      sequences.add(shown(i + 1, sample.apply(i), tokenizer));
    }
    return new RunPreview(part, all.count(), all.length(), all.apart(), List.copyOf(sequences));
  }

  private static Shown shown(long number, Sample sample, Tokenizer tokenizer) {
    List<Stretch> documents = new ArrayList<>();
    for (Sample.Part part : sample.parts()) {
      documents.add(
          new Stretch(
              part.length(),
              sample.learned(part.start(), part.end()),
              part.offset(),
              part.left(),
              pieces(sample, part.start(), part.end(), tokenizer)));
    }
    return new Shown(
        number,
        sample.length(),
        sample.learned(0, sample.length()),
        sample.padding(),
        List.copyOf(documents));
  }

  private static List<Piece> pieces(Sample sample, int from, int to, Tokenizer tokenizer) {
    List<Piece> pieces = new ArrayList<>();
    int start = from;
    while (start < to) {
      boolean learned = sample.isLearned(start);
      boolean special = tokenizer.isSpecial(sample.token(start));
      int end = start + 1;
      while (!special
          && end < to
          && sample.isLearned(end) == learned
          && !tokenizer.isSpecial(sample.token(end))) {
        end++;
      }
      String text = tokenizer.decode(sample.tokens(start, end));
      pieces.add(new Piece(text, learned, special));
      start = end;
    }
    return List.copyOf(pieces);
  }
}
