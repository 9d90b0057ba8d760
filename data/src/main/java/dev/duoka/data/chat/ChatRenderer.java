package dev.duoka.data.chat;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.jinja.Rendering;
import dev.duoka.data.tokenizer.Tokenizer;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A template with a tokenizer: renders chats, and knows what its answers end with. */
final class ChatRenderer {
  /** An answer that no template has by itself. */
  private static final String ANSWER = "duoka-answers";

  private static final String ARGUMENT = "duoka-argument";

  private final ChatTemplate template;
  private final Tokenizer tokenizer;
  private final ChatMarkers markers;
  private volatile @Nullable Boolean objects;
  private volatile @Nullable Frame frame;

  ChatRenderer(ChatTemplate template, Tokenizer tokenizer) {
    this.template = template;
    this.tokenizer = tokenizer;
    this.markers = new ChatMarkers(tokenizer);
    for (String token : template.requiredTokens()) {
      if (tokenizer.idOf(token) == Tokenizer.NONE) {
        throw lacking("token " + token);
      }
    }
    if (tokenizer.eosId() == Tokenizer.NONE && template.reads("eos_token")) {
      throw lacking("eos token");
    }
  }

  private DuokaException lacking(String what) {
    return new DuokaException(
        ErrorCode.CONFIG,
        "cannot encode a chat with the template "
            + template.name()
            + ": the tokenizer ("
            + tokenizer.describe()
            + ") has no "
            + what,
        "Choose another chat template, or the tokenizer of the model that the template is for.");
  }

  ChatMarkers markers() {
    return markers;
  }

  /**
   * A chat as its template writes it.
   *
   * @param prompt whether the assistant is to speak next
   */
  Rendering render(ChatRecord record, boolean prompt) {
    if (!record.tools().isEmpty() && !template.reads("tools")) {
      throw new DuokaException(
          ErrorCode.DATA,
          "a chat has tools, for which the chat template " + template.name() + " has no place",
          "Use the template of a model that knows tools, or leave 'tools' out of such records.");
    }
    boolean calls = record.messages().stream().anyMatch(m -> !m.toolCalls().isEmpty());
    return render(record, calls && takesObjects(), prompt);
  }

  private Rendering render(ChatRecord record, boolean asObjects, boolean prompt) {
    return template.render(TemplateVariables.of(record, markers, asObjects, prompt));
  }

  /**
   * Whether the template takes the arguments of tool calls as objects: it writes them as JSON and
   * not in Python's way, and does not fail.
   */
  private boolean takesObjects() {
    Boolean known = objects;
    if (known == null) {
      known = triesObjects();
      objects = known;
    }
    return known;
  }

  private boolean triesObjects() {
    String arguments = "{\"" + ARGUMENT + "\": 1}";
    ToolCall call = new ToolCall("function", "f", arguments, "123456789");
    Message asks = new Message(Role.ASSISTANT, "", List.of(call));
    ChatRecord probe = new ChatRecord(List.of(new Message(Role.USER, "?"), asks));
    try {
      return !render(probe, true, false).text().contains("'" + ARGUMENT + "'");
    } catch (DuokaException _) {
      return false;
    }
  }

  /**
   * The token that ends an answer, as it stands in rendered chats: the first special one behind the
   * answer's words. Empty where there is none.
   */
  Optional<End> endOfTurn() {
    return frame().end();
  }

  /** What the template writes by itself between the prompt and an answer, usually nothing. */
  String lead() {
    return frame().lead();
  }

  /** What stands around an answer. */
  private record Frame(String lead, Optional<End> end) {}

  private Frame frame() {
    Frame known = frame;
    if (known == null) {
      known = finds();
      frame = known;
    }
    return known;
  }

  private Frame finds() {
    Message answer = new Message(Role.ASSISTANT, ANSWER);
    ChatRecord question = new ChatRecord(List.of(new Message(Role.USER, "?")));
    String prompt = render(question, true).text();
    ChatRecord probe = new ChatRecord(List.of(new Message(Role.USER, "?"), answer));
    String text = render(probe, false).text();
    int at = text.lastIndexOf(ANSWER);
    if (at < 0) {
      return new Frame("", Optional.empty());
    }
    boolean goesOn = text.startsWith(prompt) && at >= prompt.length();
    String lead = goesOn ? text.substring(prompt.length(), at) : "";
    return new Frame(lead, end(text.substring(at + ANSWER.length())));
  }

  private Optional<End> end(String behind) {
    for (int i = 0; i < behind.length(); i++) {
      char c = behind.charAt(i);
      int id = markers.idFor(c);
      if (id != Tokenizer.NONE) {
        return special(behind.substring(0, i))
            .or(() -> Optional.of(new End(id, String.valueOf(c))));
      }
    }
    return special(behind);
  }

  private Optional<End> special(String text) {
    for (int id : tokenizer.encode(text)) {
      String token = tokenizer.decode(new int[] {id});
      // Some files do not call their markers special.
      if (tokenizer.isSpecial(id) || token.matches("(?s)<.{3,}>")) {
        return Optional.of(new End(id, token));
      }
    }
    return Optional.empty();
  }

  /**
   * What ends an answer.
   *
   * @param text that stands for the token in a rendered chat
   */
  record End(int id, String text) {}

  /** As {@link #endOfTurn}, for training, which needs one. */
  End requireEndOfTurn() {
    return endOfTurn()
        .orElseThrow(
            () ->
                new DuokaException(
                    ErrorCode.CONFIG,
                    "cannot train with the chat template "
                        + template.name()
                        + ": behind an answer it writes no special token of the tokenizer ("
                        + tokenizer.describe()
                        + "), so a model would never learn to stop",
                    "Choose the tokenizer of the model that the template is for, or another"
                        + " template; plain suits every tokenizer."));
  }
}
