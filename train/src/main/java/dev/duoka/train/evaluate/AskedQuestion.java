package dev.duoka.train.evaluate;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.ArrayList;
import java.util.List;

/** A question of a task as the model is asked it: tokens, cut to what it is prepared for. */
final class AskedQuestion {
  private final TaskRecord record;
  private final List<int[]> sequences;
  private final int[] from;
  private final boolean cut;

  private AskedQuestion(TaskRecord record, List<int[]> sequences, int[] from, boolean cut) {
    this.record = record;
    this.sequences = sequences;
    this.from = from;
    this.cut = cut;
  }

  /**
   * A question whose choices are compared. What does not fit is cut off its beginning, for all
   * choices alike.
   *
   * @param most tokens of a sequence, with its last target
   * @throws DuokaException if a choice alone does not fit
   */
  static AskedQuestion ofChoices(
      TaskRecord record, PromptEncoder encoder, PromptCut cut, int most) {
    List<PromptEncoder.Answered> answered =
        record.choices().stream().map(it -> encoder.answered(record.asked(), it)).toList();
    int longest = answered.stream().mapToInt(it -> it.ids().size()).max().orElse(0);
    int excess = Math.max(0, longest - most);
    List<int[]> sequences = new ArrayList<>();
    int[] from = new int[answered.size()];
    for (int i = 0; i < from.length; i++) {
      int[] ids = answered.get(i).ids().stream().mapToInt(Integer::intValue).toArray();
      int dropped = Math.min(excess, Math.max(0, answered.get(i).from() - 1));
      if (ids.length - dropped > most) {
        throw new DuokaException(
            ErrorCode.DATA,
            "its choice %d has %d tokens, which with one token before them do not fit into"
                    .formatted(i, ids.length - answered.get(i).from())
                + " data.sequence_length "
                + (most - 1),
            "Raise data.sequence_length, shorten the choice or leave the line out.");
      }
      sequences.add(cut.without(ids, dropped));
      from[i] = answered.get(i).from() - dropped;
    }
    return new AskedQuestion(record, sequences, from, excess > 0);
  }

  /**
   * A question that the model answers in words.
   *
   * @param room tokens of the prompt
   */
  static AskedQuestion ofPrompt(TaskRecord record, PromptEncoder encoder, PromptCut cut, int room) {
    int[] prompt = encoder.prompt(record.asked());
    int[] fitting = cut.fitting(prompt, room);
    return new AskedQuestion(
        record, List.of(fitting), new int[] {fitting.length}, fitting.length < prompt.length);
  }

  TaskRecord record() {
    return record;
  }

  /** One for each choice with the choice behind the question, or the prompt alone. */
  List<int[]> sequences() {
    return sequences;
  }

  /** Where what is asked for begins in a sequence. */
  int from(int sequence) {
    return from[sequence];
  }

  /** Whether it has lost its beginning. */
  boolean isCut() {
    return cut;
  }
}
