package dev.duoka.data.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.tokenizer.ByteTokenizer;
import dev.duoka.data.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.StringNode;

/** What is learned of chats by templates that were written elsewhere. */
class LearnedTextTests {
  private static final Message HI = new Message(Role.USER, "Hi");
  private static final Message HELLO = new Message(Role.ASSISTANT, "Hello!");
  private static final Message MORE = new Message(Role.USER, "1+1?");
  private static final Message TWO = new Message(Role.ASSISTANT, "2");
  private static final List<Message> CHAT = List.of(HI, HELLO, MORE, TWO);

  private final Tokenizer tokenizer = MarkedBytes.tokenizer();

  @Test
  void theTokenThatEndsATurnIsLearnedAndWhatStandsBehindItIsNot() {
    assertThat(learned("chatml", CHAT))
        .isEqualTo(
            """
            <|im_start|>system
            You help.<|im_end|>
            <|im_start|>user
            Hi<|im_end|>
            <|im_start|>assistant
            [Hello!<|im_end|>]
            <|im_start|>user
            1+1?<|im_end|>
            <|im_start|>assistant
            [2<|im_end|>]
            """);
    assertThat(learned("turns", CHAT.subList(0, 2)))
        .endsWith("<start_of_turn>model\n[Hello!<end_of_turn>]\n");
    assertThat(learned("headers", CHAT))
        .contains("Today Date: 26 Jul 2024")
        .endsWith("assistant<|end_header_id|>\n\n[2<|eot_id|>]");
    assertThat(end("chatml")).hasValue(tokenizer.idOf("<|im_end|>"));
    assertThat(end("turns")).hasValue(tokenizer.idOf("<end_of_turn>"));
    assertThat(end("headers")).hasValue(tokenizer.idOf("<|eot_id|>"));
    assertThat(end("inst")).hasValue(tokenizer.eosId());
    assertThat(end("deepseek-coder")).hasValue(tokenizer.idOf("<|EOT|>"));
  }

  @Test
  void thoughtsThatATemplateDropsFromHistoryAreCounted() {
    List<Message> chat =
        List.of(
            HI,
            new Message(Role.ASSISTANT, "<think>\nhm\n</think>\n\nHello!"),
            MORE,
            new Message(Role.ASSISTANT, "<think>\nso\n</think>\n\n2"));
    EncodedChat kept = encode("thinking", new ChatRecord(chat));
    assertThat(ChatEncoderTests.shown(kept, tokenizer))
        .isEqualTo(
            """
            <|im_start|>user
            Hi<|im_end|>
            <|im_start|>assistant
            [Hello!<|im_end|>]
            <|im_start|>user
            1+1?<|im_end|>
            <|im_start|>assistant
            [<think>
            so
            </think>

            2<|im_end|>]
            """);
    assertThat(kept.removedCharacters()).isEqualTo("<think>\nhm\n</think>\n\n".length());
    EncodedChat none = encode("thoughtless", new ChatRecord(chat));
    assertThat(MarkedBytes.shown(ChatEncoderTests.shown(none, tokenizer)))
        .isEqualTo(
            "<bos><|User|>Hi<|Assistant|>[\n\nHello!<eos>]<|User|>1+1?<|Assistant|>[\n\n2<eos>]");
    assertThat(none.removedCharacters()).isEqualTo(2 * "<think>\nhm\n</think>".length());
    EncodedChat last =
        new ChatEncoder(
                Templates.named("thinking"), tokenizer, new ChatForm(LossOn.LAST, Optional.empty()))
            .encode(new ChatRecord(chat));
    assertThat(last.removedCharacters()).as("nothing of the last one is missing").isZero();
  }

  @Test
  void aThoughtInAFieldOfItsOwnCountsToo() {
    Message thought =
        new Message(
            Role.ASSISTANT,
            "Hello!",
            List.of(),
            null,
            Map.of("reasoning_content", StringNode.valueOf("long")));
    ChatRecord record = new ChatRecord(List.of(HI, thought));
    assertThat(encode("thinking", record).removedCharacters()).isZero();
    assertThat(encode("chatml", record).removedCharacters()).isEqualTo(4);
    assertThat(
            encode("thinking", new ChatRecord(List.of(HI, thought, MORE, TWO))).removedCharacters())
        .isEqualTo(4);
  }

  @Test
  void aTemplateThatMovesTheSystemMessageIsLearnedAsWell() {
    List<Message> chat = new ArrayList<>(CHAT);
    chat.addFirst(new Message(Role.SYSTEM, "Be brief."));
    assertThat(MarkedBytes.shown(learned("inst", chat)))
        .isEqualTo("<bos>[INST] Hi[/INST][ Hello!<eos>][INST] 1+1?[/INST][ 2<eos>]");
    chat.add(MORE);
    assertThat(MarkedBytes.shown(learned("inst", chat)))
        .as("words in front of the last question")
        .isEqualTo(
            "<bos>[INST] Hi[/INST][ Hello!<eos>][INST] 1+1?[/INST][ 2<eos>]"
                + "[INST] Be brief.\n\n1+1?[/INST]");
  }

  @Test
  void generationBlocksSayWhatIsLearned() {
    assertThat(learned("blocks", CHAT))
        .isEqualTo(
            """
            <|im_start|>user
            Hi<|im_end|>
            <|im_start|>assistant
            [Hello!<|im_end|>]
            <|im_start|>user
            1+1?<|im_end|>
            <|im_start|>assistant
            [2<|im_end|>]
            """);
    assertThat(learned("blocks", CHAT, LossOn.LAST))
        .contains("assistant\nHello!<|im_end|>")
        .endsWith("[2<|im_end|>]\n");
  }

  @Test
  void oneTurnOrThoseThatAreMarkedAreLearned() {
    assertThat(learned("plain", CHAT, LossOn.LAST))
        .contains("assistant: Hello!")
        .endsWith("assistant:[ 2</s>]\n");
    Message kept = new Message(Role.ASSISTANT, "Hello!", List.of(), true, Map.of());
    Message left = new Message(Role.ASSISTANT, "2", List.of(), false, Map.of());
    String first = "<s>user: Hi\nassistant:[ Hello!</s>]\nuser: 1+1?\nassistant: 2</s>\n";
    for (List<Message> chat :
        List.of(
            List.of(HI, kept, MORE, left),
            List.of(HI, kept, MORE, TWO),
            List.of(HI, HELLO, MORE, left))) {
      assertThat(learned("plain", chat, LossOn.MARKED)).isEqualTo(first);
    }
    assertThatThrownBy(() -> learned("plain", CHAT, LossOn.MARKED))
        .hasMessageContaining("marks no answer to learn")
        .hasMessageContaining("data.loss_on");
    assertThatThrownBy(() -> learned("plain", List.of(HI, left), LossOn.MARKED))
        .hasMessageContaining("marks no answer to learn");
  }

  @Test
  void aSystemPromptStandsInFrontOfChatsThatHaveNone() {
    ChatEncoder encoder =
        new ChatEncoder(
            Templates.named("plain"),
            tokenizer,
            new ChatForm(LossOn.ASSISTANT, Optional.of("Be kind.")));
    ChatRecord record = new ChatRecord(List.of(HI, HELLO));
    assertThat(ChatEncoderTests.shown(encoder.encode(record), tokenizer))
        .isEqualTo("<s>system: Be kind.\nuser: Hi\nassistant:[ Hello!</s>]\n");
    List<Message> own = List.of(new Message(Role.SYSTEM, "Own."), HI, HELLO);
    assertThat(ChatEncoderTests.shown(encoder.encode(new ChatRecord(own)), tokenizer))
        .isEqualTo("<s>system: Own.\nuser: Hi\nassistant:[ Hello!</s>]\n");
  }

  @Test
  void toolsGoToTemplatesThatKnowThem() {
    String json =
        """
        {"tools": [{"type": "function", "function": {"name": "sum"}}],
         "messages": [{"role": "user", "content": "Sum?"},
          {"role": "assistant", "content": null, "tool_calls": [{"id": "call12345",
            "type": "function", "function": {"name": "sum", "arguments": "{\\"a\\":1}"}}]},
          {"role": "tool", "content": "2"}, {"role": "assistant", "content": "It is 2."}]}\
        """;
    ChatRecord record = ChatRecords.parse(json, "x");
    assertThat(ChatEncoderTests.shown(encode("chatml", record), tokenizer))
        .contains("<tools>\n{\"type\": \"function\", \"function\": {\"name\": \"sum\"}}\n</tools>")
        .contains(
            """
            <|im_start|>assistant
            [<tool_call>
            {"name": "sum", "arguments": {"a": 1}}
            </tool_call><|im_end|>]
            <|im_start|>user
            <answer>
            2
            </answer><|im_end|>
            <|im_start|>assistant
            [It is 2.<|im_end|>]
            """);
    assertThatThrownBy(() -> encode("deepseek-v3", record))
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DATA))
        .hasMessageContaining("a chat has tools, for which the chat template deepseek-v3 has no");
    String odd = json.replace("{\\\"a\\\":1}", "[1]");
    assertThatThrownBy(() -> encode("chatml", ChatRecords.parse(odd, "x")))
        .hasMessageContaining("the arguments of the tool call sum are no JSON object");
  }

  @Test
  void aTemplateRefusesByItsOwnWords() {
    assertThatThrownBy(() -> learned("inst", List.of(HI, MORE, TWO)))
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DATA))
        .hasMessageContaining("inst at line 11")
        .hasMessageContaining("roles must alternate");
  }

  @Test
  void withoutATokenForTheEndNothingIsTrained() {
    ChatEncoder encoder = new ChatEncoder(Templates.named("chatml"), new ByteTokenizer());
    assertThat(encoder.endOfTurn()).isEmpty();
    assertThat(encoder.encodePrompt(List.of(HI))).isNotEmpty();
    assertThatThrownBy(() -> encoder.encode(new ChatRecord(CHAT)))
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIG))
        .hasMessageContaining("would never learn to stop");
  }

  /** Whatever the chat, the learned text is the answers with their ends, and no question's. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "chatml",
        "thinking",
        "thoughtless",
        "headers",
        "turns",
        "blocks",
        "inst",
        "grouped"
      })
  void answersAndNothingElseAreLearned(String template) {
    Random random = new Random(20260117);
    String end = tokenizer.decode(new int[] {end(template).orElseThrow()});
    for (int i = 0; i < 100; i++) {
      List<Message> chat = new ArrayList<>();
      if (random.nextBoolean() && !template.equals("turns")) {
        chat.add(new Message(Role.SYSTEM, words(random)));
      }
      StringBuilder answers = new StringBuilder();
      boolean last = false;
      for (int turn = random.nextInt(1, 6); turn > 0; turn--) {
        String answer = words(random);
        chat.add(new Message(Role.USER, words(random)));
        chat.add(new Message(Role.ASSISTANT, answer));
        last = turn == 1;
        boolean thinks = last && template.equals("thinking");
        String empty = thinks ? "<think>\n\n</think>\n\n" : template.equals("inst") ? " " : "";
        answers.append(empty).append(answer).append(end);
      }
      EncodedChat encoded = encode(template, new ChatRecord(chat));
      List<Integer> ids = new ArrayList<>();
      for (int at = 0; at < encoded.ids().length; at++) {
        if (encoded.isTrainable(at)) {
          ids.add(encoded.ids()[at]);
        }
      }
      assertThat(tokenizer.decode(ids.stream().mapToInt(Integer::intValue).toArray()))
          .isEqualTo(answers.toString());
      assertThat(encoded.removedCharacters()).isZero();
    }
  }

  private static String words(Random random) {
    List<String> words = List.of("a", "b", "Hi", " ", "你好", "user", "assistant", "<", "\n", "2");
    StringBuilder text = new StringBuilder("x");
    for (int i = random.nextInt(6); i > 0; i--) {
      text.append(words.get(random.nextInt(words.size())));
    }
    return text.append('.').toString();
  }

  private OptionalInt end(String template) {
    return new ChatEncoder(Templates.named(template), tokenizer).endOfTurn();
  }

  private EncodedChat encode(String template, ChatRecord record) {
    return new ChatEncoder(Templates.named(template), tokenizer).encode(record);
  }

  private String learned(String template, List<Message> chat) {
    return learned(template, chat, LossOn.ASSISTANT);
  }

  private String learned(String template, List<Message> chat, LossOn lossOn) {
    EncodedChat encoded =
        new ChatEncoder(
                Templates.named(template), tokenizer, new ChatForm(lossOn, Optional.empty()))
            .encode(new ChatRecord(chat));
    return ChatEncoderTests.shown(encoded, tokenizer);
  }
}
