package dev.duoka.data.training;

import dev.duoka.data.chat.Role;
import dev.duoka.data.pair.PairDocumentEncoder;
import dev.duoka.data.pair.PairRecords;
import dev.duoka.data.shard.DocumentEncoder;
import dev.duoka.data.shard.EncodedDocument;
import dev.duoka.data.source.BadDocuments;
import dev.duoka.data.source.BadRecordException;
import dev.duoka.data.source.Document;
import dev.duoka.data.source.SkipReason;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Encodes pairs of which neither chat has a fault. A pair has no good beginning, for what is
 * compared stands at its end: of one with a fault nothing is kept, but where a turn of the question
 * that is not the assistant's is too long and is shortened, on both sides alike.
 */
final class CheckedPairs implements DocumentEncoder {
  private final PairDocumentEncoder pairs;
  private final BadDocuments policy;
  private final int longestTurn;

  /**
   * An encoder of pairs.
   *
   * @param pairs encodes those without a fault
   * @param longestTurn bytes of a turn in UTF-8
   */
  CheckedPairs(PairDocumentEncoder pairs, BadDocuments policy, int longestTurn) {
    this.pairs = pairs;
    this.policy = policy;
    this.longestTurn = longestTurn;
  }

  /** A fault, and on which side it is. */
  private record Found(String side, ObjectNode record, ChatFaults.Found fault) {
    BadRecordException asException() {
      return new BadRecordException(fault.reason(), side + ": " + fault.problem(), fault.text());
    }
  }

  @Override
  public EncodedDocument encode(Document document) {
    PairRecords.Sides sides = PairRecords.read(document.text(), document.id());
    @Nullable BadRecordException cutFor = null;
    Optional<Found> found = first(sides);
    while (found.isPresent()) {
      if (policy != BadDocuments.CUT || !shorten(sides, found.get())) {
        throw cutFor == null ? found.get().asException() : cutFor;
      }
      cutFor = cutFor == null ? found.get().asException() : cutFor;
      found = first(sides);
    }
    EncodedDocument encoded = pairs.encode(PairRecords.pair(sides, document.id()), document.id());
    return encoded.with(new EncodedDocument.Notes(cutFor, List.of(), sides.form()));
  }

  private Optional<Found> first(PairRecords.Sides sides) {
    return of("chosen", sides.chosen()).or(() -> of("rejected", sides.rejected()));
  }

  private Optional<Found> of(String side, ObjectNode record) {
    return new ChatFaults(ChatTurn.of(record), longestTurn)
        .first()
        .map(fault -> new Found(side, record, fault));
  }

  /** Whether the turn is shorter now, on both sides. */
  private boolean shorten(PairRecords.Sides sides, Found found) {
    List<ChatTurn> turns = ChatTurn.of(found.record());
    String list = ChatTurn.list(found.record());
    int turn = found.fault().turn();
    if (found.fault().reason() != SkipReason.LONG_TURN
        || list == null
        || turns.get(turn).role() == Role.ASSISTANT) {
      return false;
    }
    int listed = turn - ChatTurn.lead(found.record());
    JsonNode chosen = sides.chosen().path(list).path(listed);
    JsonNode rejected = sides.rejected().path(list).path(listed);
    return chosen.equals(rejected)
        && ChatTurn.shorten(sides.chosen(), turn, longestTurn)
        && ChatTurn.shorten(sides.rejected(), turn, longestTurn);
  }

  @Override
  public void check(Document document) {
    PairRecords.Sides sides = PairRecords.read(document.text(), document.id());
    Optional<Found> found = first(sides);
    if (found.isPresent()) {
      throw found.get().asException();
    }
    PairRecords.pair(sides, document.id());
  }

  /** Data that is refused is no data: only what is left out or cut makes other tokens. */
  @Override
  public String fingerprint() {
    return switch (policy) {
      case REFUSE -> pairs.fingerprint();
      case SKIP, CUT -> pairs.fingerprint() + " turns up to " + longestTurn + " " + policy;
    };
  }

  @Override
  public int vocabularySize() {
    return pairs.vocabularySize();
  }

  @Override
  public boolean hasLossMask() {
    return pairs.hasLossMask();
  }

  @Override
  public List<String> notices() {
    return pairs.notices();
  }
}
