package dev.duoka.data.training;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.chat.RecordForms;
import dev.duoka.data.chat.Role;
import dev.duoka.data.shard.DocumentEncoder;
import dev.duoka.data.shard.EncodedDocument;
import dev.duoka.data.source.BadDocuments;
import dev.duoka.data.source.BadRecordException;
import dev.duoka.data.source.Document;
import dev.duoka.data.source.SkipReason;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Encodes chats that have no fault, or as much of one as comes before its fault.
 *
 * <p>What is kept of a chat ends with the last answer before the bad turn; a chat without one is
 * left out. A turn of the user, the system or a tool that is too long is shortened instead; an
 * answer never is, since where it was cut would be learned as its end.
 */
final class CheckedChats implements DocumentEncoder {
  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
                  .build())
          .build();

  private static final String UNANSWERED = "chats end with a question that nobody answers";

  private final DocumentEncoder chats;
  private final BadDocuments policy;
  private final int longestTurn;

  /**
   * An encoder of chats.
   *
   * @param chats encodes those without a fault
   * @param longestTurn bytes of a turn in UTF-8
   */
  CheckedChats(DocumentEncoder chats, BadDocuments policy, int longestTurn) {
    this.chats = chats;
    this.policy = policy;
    this.longestTurn = longestTurn;
  }

  @Override
  public EncodedDocument encode(Document document) {
    JsonNode root = parse(document);
    if (root == null) {
      return chats.encode(document); // which says what is wrong
    }
    List<ChatTurn> turns = ChatTurn.of(root);
    Optional<ChatFaults.Found> fault = new ChatFaults(turns, longestTurn).first();
    if (fault.isEmpty()) {
      return encodeWhole(document, root, turns);
    }
    BadRecordException why = fault.get().asException();
    if (policy != BadDocuments.CUT) {
      throw why;
    }
    return encodeBeginning(document, root, fault.get(), why);
  }

  private EncodedDocument encodeWhole(Document document, JsonNode root, List<ChatTurn> turns) {
    EncodedDocument encoded;
    try {
      encoded = chats.encode(document);
    } catch (DuokaException e) {
      if (e.code() != ErrorCode.DATA || policy != BadDocuments.CUT) {
        throw e;
      }
      int unreadable = 0;
      while (unreadable < turns.size() && turns.get(unreadable).role() != null) {
        unreadable++;
      }
      String problem = e.problem();
      ChatFaults.Found found = new ChatFaults.Found(unreadable, SkipReason.UNUSABLE, problem, "");
      return encodeBeginning(
          document, root, found, new BadRecordException(SkipReason.UNUSABLE, problem, ""));
    }
    boolean unanswered = turns.size() > 1 && turns.getLast().role() == Role.USER;
    return encoded.with(
        new EncodedDocument.Notes(
            null, unanswered ? List.of(UNANSWERED) : List.of(), ChatTurn.form(root)));
  }

  private EncodedDocument encodeBeginning(
      Document document, JsonNode root, ChatFaults.Found fault, BadRecordException why) {
    String list = ChatTurn.list(root);
    int lead = ChatTurn.lead(root);
    if (list == null || fault.turn() >= lead + root.path(list).size()) {
      throw why;
    }
    ObjectNode kept = (ObjectNode) root.deepCopy();
    ArrayNode turns = (ArrayNode) kept.path(list);
    List<ChatTurn> read = ChatTurn.of(root);
    if (fault.reason() == SkipReason.LONG_TURN
        && read.get(fault.turn()).role() != Role.ASSISTANT
        && ChatTurn.shorten(kept, fault.turn(), longestTurn)) {
      return again(document, kept, why);
    }
    int end = fault.turn();
    while (end > 0 && !read.get(end - 1).isAnswer()) {
      end--;
    }
    if (end == 0) {
      throw why;
    }
    while (turns.size() > end - lead) {
      turns.remove(turns.size() - 1);
    }
    return again(document, kept, why);
  }

  /** What is left may have a fault too; the first one is what is told. */
  private EncodedDocument again(Document document, ObjectNode kept, BadRecordException why) {
    try {
      EncodedDocument encoded = encode(new Document(document.id(), kept.toString()));
      return encoded.with(
          new EncodedDocument.Notes(why, encoded.notes().remarks(), encoded.notes().form()));
    } catch (BadRecordException _) {
      throw why;
    }
  }

  /** The record; null where it is none. */
  private static @Nullable JsonNode parse(Document document) {
    try {
      JsonNode root = RecordForms.common(MAPPER.readTree(document.text()));
      return root.isObject() ? root : null;
    } catch (JacksonException e) {
      return null;
    }
  }

  @Override
  public void check(Document document) {
    JsonNode root = parse(document);
    List<ChatTurn> turns = root == null ? List.of() : ChatTurn.of(root);
    boolean readable = !turns.isEmpty() && turns.stream().allMatch(turn -> turn.role() != null);
    if (!readable) {
      chats.encode(document);
      return;
    }
    Optional<ChatFaults.Found> fault = new ChatFaults(turns, longestTurn).first();
    if (fault.isPresent()) {
      throw fault.get().asException();
    }
  }

  /** Data that is refused is no data: only what is left out or cut makes other tokens. */
  @Override
  public String fingerprint() {
    return switch (policy) {
      case REFUSE -> chats.fingerprint();
      case SKIP, CUT ->
          chats.fingerprint()
              + " turns and what is beside them up to "
              + longestTurn
              + " "
              + policy;
    };
  }

  @Override
  public int vocabularySize() {
    return chats.vocabularySize();
  }

  @Override
  public boolean hasLossMask() {
    return chats.hasLossMask();
  }

  @Override
  public List<String> notices() {
    return chats.notices();
  }
}
