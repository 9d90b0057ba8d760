package dev.duoka.data.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.NullNode;

class ChatRecordsTests {
  private static final List<Message> CHAT =
      List.of(new Message(Role.USER, "Hi"), new Message(Role.ASSISTANT, "Hello"));

  @Test
  void readsMessages() {
    assertThat(
            parse(
                """
                {"id": 7, "messages": [{"role": "user", "content": "Hi"},
                 {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]}]}\
                """))
        .isEqualTo(CHAT);
  }

  @Test
  void readsShareGpt() {
    assertThat(
            parse(
                """
                {"conversations": [{"from": "human", "value": "Hi"},
                 {"from": "gpt", "value": "Hello"}], "system": ""}\
                """))
        .isEqualTo(CHAT);
    assertThat(parse("{\"system\": \"S\", \"conversations\": []}"))
        .containsExactly(new Message(Role.SYSTEM, "S"));
  }

  @Test
  void readsToolCallsAndWhatToolsAnswer() {
    assertThat(
            parse(
                """
                {"messages": [{"role": "user", "content": "Sum?"},
                 {"role": "assistant", "content": null, "tool_calls":
                  [{"type": "function", "function": {"name": "add", "arguments": "{\\"a\\": 1}"}},
                   {"function": {"name": "sub", "arguments": {"b": 2}}}]},
                 {"role": "tool", "content": "1"}, {"role": "function", "content": "2"},
                 {"role": "assistant", "content": "Done"}]}\
                """))
        .containsExactly(
            new Message(Role.USER, "Sum?"),
            new Message(
                Role.ASSISTANT,
                "",
                List.of(
                    new ToolCall("function", "add", "{\"a\": 1}"),
                    new ToolCall("function", "sub", "{\"b\":2}")),
                null,
                Map.of("content", NullNode.getInstance())),
            new Message(Role.TOOL, "1"),
            new Message(Role.TOOL, "2"),
            new Message(Role.ASSISTANT, "Done"));
  }

  @Test
  void readsWhichTurnsAreLearned() {
    assertThat(
            parse(
                """
                {"messages": [{"role": "user", "content": "a", "weight": 0},
                 {"role": "assistant", "content": "b", "weight": 1},
                 {"role": "assistant", "content": "c", "weight": 0.0},
                 {"from": "gpt", "value": "d", "train": true},
                 {"role": "assistant", "content": "e"}]}\
                """))
        .extracting(Message::marked)
        .containsExactly(false, true, false, true, null);
    assertThat(parse(turn("'loss': false"))).extracting(Message::marked).containsExactly(false);
    assertThat(parse(turn("'loss': null, 'weight': 1")))
        .extracting(Message::marked)
        .containsExactly(true);
    refuses(turn("'loss': 0"), "'loss' 0; it is true or false");
    refuses(turn("'weight': 0.5"), "at messages[0] 'weight' 0.5; it is 0 or 1");
    refuses(turn("'weight': true"), "it is 0 or 1");
    refuses(turn("'train': 1"), "'train' 1; it is true or false");
    refuses(turn("'train': true, 'weight': 1"), "both 'train' and 'weight'");
    refuses(
        "{\"messages\": [{\"role\": \"user\", \"content\": \"a\", \"train\": true}]}",
        "a turn to learn that is not the assistant's");
  }

  private static String turn(String field) {
    return ("{'messages': [{'role': 'assistant', 'content': 'a', " + field + "}]}")
        .replace('\'', '"');
  }

  @Test
  void readsToolsAndFurtherFields() {
    ChatRecord record =
        ChatRecords.parse(
            """
            {"tools": "[{\\"type\\": \\"function\\"}]", "messages": [
             {"role": "assistant", "content": "a", "reasoning_content": "hm", "name": "x",
              "tool_calls": [{"id": "call1", "function": {"name": "f", "arguments": "{}"}}]}]}\
            """,
            "x");
    assertThat(record.tools()).hasToString("[{\"type\":\"function\"}]");
    Message message = record.messages().getFirst();
    assertThat(message.further()).containsOnlyKeys("reasoning_content", "name");
    assertThat(message.toolCalls().getFirst().id()).isEqualTo("call1");
    String chat = ", \"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}";
    assertThat(ChatRecords.parse("{\"tools\": []" + chat, "x").tools()).isEmpty();
    assertThat(ChatRecords.parse("{\"tools\": \"\"" + chat, "x").tools()).isEmpty();
    refuses("{\"tools\": \"[\"" + chat, "under 'tools' a text that is not valid JSON");
    refuses("{\"tools\": {}" + chat, "under 'tools' no array");
    refuses("{\"tools\": [1]" + chat, "something other than objects");
  }

  @Test
  void readsPromptAndCompletion() {
    assertThat(parse("{\"prompt\": \"Hi\", \"completion\": \"Hello\"}")).isEqualTo(CHAT);
    assertThat(
            parse(
                """
                {"prompt": [{"role": "user", "content": "Hi"}],
                 "completion": [{"role": "assistant", "content": "Hello"}]}\
                """))
        .isEqualTo(CHAT);
  }

  @Test
  void readsQueryAndResponse() {
    assertThat(parse("{\"query\": \"Hi\", \"response\": \"Hello\"}")).isEqualTo(CHAT);
    assertThat(
            parse(
                """
                {"system": "S", "query": "b", "response": "c", "history": [["Hi", "Hello"]]}\
                """))
        .extracting(Message::content)
        .containsExactly("S", "Hi", "Hello", "b", "c");
  }

  @Test
  void readsCallsThatStandInTurnsOfTheirOwn() {
    String call = "{'name': 'f', 'arguments': {'a': 1}}".replace("'", "\\\"");
    Message called =
        new Message(
            Role.ASSISTANT,
            "",
            List.of(
                new ToolCall("function", "f", "{\"a\":1}"),
                new ToolCall("function", "f", "{\"a\":1}")),
            null,
            Map.of("content", NullNode.getInstance()));
    List<Message> chat =
        List.of(
            new Message(Role.USER, "Hi"),
            called,
            new Message(Role.TOOL, "1"),
            new Message(Role.ASSISTANT, "Hello"));
    assertThat(
            parse(
                """
                {"conversations": [{"from": "human", "value": "Hi"},
                 {"from": "function_call", "value": "[%1$s, %1$s]"},
                 {"from": "observation", "value": "1"}, {"from": "gpt", "value": "Hello"}]}\
                """
                    .formatted(call)))
        .isEqualTo(chat);
    assertThat(
            parse(
                """
                {"messages": [{"role": "user", "content": "Hi"},
                 {"role": "tool_call", "content": "%1$s"}, {"role": "tool_call", "content": "%1$s"},
                 {"role": "tool_response", "content": "1"},
                 {"role": "assistant", "content": "Hello"}]}\
                """
                    .formatted(call)))
        .isEqualTo(chat);
    refuses(
        "{\"messages\": [{\"role\": \"tool_call\", \"content\": \"f()\"}]}",
        "at messages[0] a call that is no");
  }

  @Test
  void readsAlpaca() {
    assertThat(parse("{\"instruction\": \"Hi\", \"input\": \"\", \"output\": \"Hello\"}"))
        .isEqualTo(CHAT);
    assertThat(
            parse(
                """
                {"instruction": "Add", "input": "1 2", "output": "3", "system": "S",
                 "history": [["Hi", "Hello"]]}\
                """))
        .containsExactly(
            new Message(Role.SYSTEM, "S"),
            new Message(Role.USER, "Hi"),
            new Message(Role.ASSISTANT, "Hello"),
            new Message(Role.USER, "Add\n\n1 2"),
            new Message(Role.ASSISTANT, "3"));
  }

  @Test
  void saysWhatIsWrong() {
    refuses("{\"text\": \"Hi\"}", "[text]", "\"messages\"");
    refuses("{\"messages\": []}", "no message");
    refuses("{\"messages\": \"Hi\"}", "under 'messages' a text instead of an array");
    refuses(
        "{\"messages\": [{\"role\": \"narrator\", \"content\": \"x\"}]}", "messages[0]", "tool");
    refuses(
        "{\"messages\": [{\"role\": \"user\", \"tool_calls\": [{\"function\": {\"name\": \"f\","
            + " \"arguments\": \"\"}}]}]}",
        "messages[0]",
        "tool calls of the role");
    refuses("{\"messages\": [{\"role\": \"gpt\", \"tool_calls\": 1}]}", "no array");
    refuses("{\"messages\": [{\"role\": \"gpt\", \"tool_calls\": [{}]}]}", "without a function's");
    refuses("{\"messages\": [{\"role\": \"user\"}]}", "messages[0]");
    refuses(
        "{\"messages\": [{\"role\": \"user\", \"content\": null}]}",
        "at messages[0] null instead of a text");
    refuses("{\"prompt\": 1, \"completion\": \"x\"}", "at prompt a number instead of a text");
    refuses("[1]", "the record is an array instead of an object");
    refuses("{\"messages\": [", "not valid JSON");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'messages': [{'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'content': ''}]}",
        "{'messages': [{'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'content': ' '}]}",
        "{'messages': [{'role': 'assistant', 'content': '', 'tool_calls': []}]}",
        "{'messages': [{'role': 'assistant', 'content': [{'type': 'text', 'text': ''}]}]}",
        "{'conversations': [{'from': 'gpt', 'value': ''}, {'from': 'gpt', 'value': 'Yes'}]}",
        "{'prompt': 'Hi', 'completion': ''}",
        "{'instruction': 'Hi', 'output': '\\n'}",
        "{'instruction': 'Hi', 'output': 'Yes', 'history': [['q', '']]}"
      })
  void anEmptyAnswerIsNothingToLearn(String json) {
    refuses(json.replace('\'', '"'), "an empty answer of the assistant");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'messages': [{'role': 'user', 'content': ''}, {'role': 'assistant', 'content': 'a'}]}",
        "{'messages': [{'role': 'assistant', 'content': '', 'tool_calls': [{'function': {'name':"
            + " 'f', 'arguments': {}}}]}, {'role': 'tool', 'content': ''}]}",
        "{'system': '', 'prompt': '', 'completion': 'a'}"
      })
  void whatOthersLeaveEmptyIsNoFault(String json) {
    assertThat(parse(json.replace('\'', '"'))).isNotEmpty();
  }

  @Test
  void survivesDamagedRecords() {
    long seed = 20260109;
    Random random = new Random(seed);
    String good =
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\",\"weight\":0},{\"from\":\"gpt\",\"value\":[{\"text\":\"x\"}],"
            + "\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":{}}}]}],"
            + "\"instruction\":\"a\",\"history\":[[\"q\",\"a\"]],\"tools\":[{}],\"output\":\"b\",\"system\":null}";
    List<String> words = List.of("null", "[]", "{}", "1", "\"", ",", "[[1]]", "\\u", "true", ":");
    int read = 0;
    for (int i = 0; i < 5_000; i++) {
      StringBuilder text = new StringBuilder(good);
      for (int times = random.nextInt(1, 4); times > 0; times--) {
        int at = random.nextInt(text.length());
        int end = Math.min(text.length(), at + random.nextInt(1, 20));
        text.replace(at, end, random.nextBoolean() ? "" : words.get(random.nextInt(words.size())));
      }
      try {
        read += parse(text.toString()).isEmpty() ? 0 : 1;
      } catch (DuokaException e) {
        assertThat(e.getMessage()).isNotBlank();
      } catch (RuntimeException e) {
        throw new AssertionError("mutation " + i + " of seed " + seed + ": " + text, e);
      }
    }
    assertThat(read).isBetween(50, 4_950);
  }

  private static List<Message> parse(String json) {
    return ChatRecords.parse(json, "chats.jsonl line 3").messages();
  }

  private static void refuses(String json, String... parts) {
    assertThatThrownBy(() -> parse(json))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("chats.jsonl line 3")
        .hasMessageContainingAll(parts);
  }
}
