package dev.duoka.data.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.duoka.base.DuokaException;
import dev.duoka.data.tokenizer.ByteTokenizer;
import dev.duoka.data.tokenizer.HfTokenizer;
import dev.duoka.data.tokenizer.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChatEncoderTests {
  private static final List<Message> CHAT =
      List.of(
          new Message(Role.SYSTEM, "Be brief."),
          new Message(Role.USER, "Hi"),
          new Message(Role.ASSISTANT, "Hello!"),
          new Message(Role.USER, "1+1?"),
          new Message(Role.ASSISTANT, "2"));

  private final Tokenizer bytes = new ByteTokenizer();
  private final Tokenizer read = MarkedBytes.tokenizer();

  @Test
  void writesTheTemplateOfLlmAndV2() {
    assertThat(written("deepseek-llm", CHAT))
        .isEqualTo(
            "<bos>Be brief.\n\nUser: Hi\n\nAssistant:[ Hello!<eos>]User: 1+1?\n\n"
                + "Assistant:[ 2<eos>]");
    assertThat(ChatTemplate.named("deepseek-v2").jinja())
        .isEqualTo(ChatTemplate.named("deepseek-llm").jinja());
    assertThat(bytes.decode(encoder("deepseek-v2").encodePrompt(CHAT.subList(0, 2))))
        .isEqualTo("<bos>Be brief.\n\nUser: Hi\n\nAssistant:");
  }

  @Test
  void writesThePlainTemplate() {
    assertThat(written("plain", CHAT.subList(1, 3)))
        .isEqualTo("<bos>user: Hi\nassistant:[ Hello!<eos>]\n");
  }

  @Test
  void writesTheTemplateOfCoder() {
    String own =
        "You are an AI programming assistant, utilizing the Deepseek Coder model, developed by"
            + " Deepseek Company, and you only answer questions related to computer science. For"
            + " politically sensitive questions, security and privacy issues, and other"
            + " non-computer science questions, you will refuse to answer\n";
    assertThat(marked("deepseek-coder", CHAT.subList(1, 3)))
        .isEqualTo("<bos>" + own + "### Instruction:\nHi\n### Response:\n[Hello!\n<|EOT|>]\n");
    assertThat(marked("deepseek-coder", CHAT.subList(0, 3)))
        .startsWith("<bos>Be brief.### Instruction:\nHi\n");
  }

  @Test
  void writesTheTemplateOfV3() {
    assertThat(marked("deepseek-v3", CHAT))
        .isEqualTo(
            "<bos>Be brief.<｜User｜>Hi<｜Assistant｜>[Hello!<eos>]<｜User｜>1+1?<｜Assistant｜>"
                + "[2<eos>]");
    List<Message> late = new ArrayList<>(CHAT.subList(1, 5));
    late.add(3, new Message(Role.SYSTEM, "Late."));
    assertThat(marked("deepseek-v3", late))
        .as("a system message that goes to the front")
        .isEqualTo(
            "<bos>Late.<｜User｜>Hi<｜Assistant｜>[Hello!<eos>]<｜User｜>1+1?<｜Assistant｜>[2<eos>]");
  }

  @Test
  void writesToolsWithV3() {
    List<Message> chat =
        List.of(
            new Message(Role.USER, "Sum?"),
            new Message(
                Role.ASSISTANT,
                "",
                List.of(
                    new ToolCall("function", "add", "{\"a\": 1}"),
                    new ToolCall("function", "sub", "{}"))),
            new Message(Role.TOOL, "1"),
            new Message(Role.TOOL, "2"),
            new Message(Role.ASSISTANT, "Done"));
    String asked =
        "<bos><｜User｜>Sum?<｜Assistant｜>[<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function"
            + "<｜tool▁sep｜>add\n```json\n{\"a\": 1}\n```<｜tool▁call▁end｜>\n"
            + "<｜tool▁call▁begin｜>function<｜tool▁sep｜>sub\n```json\n{}\n```"
            + "<｜tool▁call▁end｜><｜tool▁calls▁end｜><eos>]";
    String answered =
        "<｜tool▁outputs▁begin｜><｜tool▁output▁begin｜>1<｜tool▁output▁end｜>\n"
            + "<｜tool▁output▁begin｜>2<｜tool▁output▁end｜><｜tool▁outputs▁end｜>";
    assertThat(marked("deepseek-v3", chat)).isEqualTo(asked + answered + "[Done<eos>]");
    ChatEncoder v3 = new ChatEncoder(ChatTemplate.named("deepseek-v3"), read);
    assertThat(MarkedBytes.shown(read.decode(v3.encodePrompt(chat.subList(0, 4)))))
        .isEqualTo(asked.replaceAll("[\\[\\]]", "") + answered);
    assertThat(read.decode(v3.encodePrompt(chat.subList(0, 1)))).endsWith("Sum?<｜Assistant｜>");
    assertThat(written("plain", chat))
        .isEqualTo(
            """
            <bos>user: Sum?
            assistant:[\s
            add {"a": 1}
            sub {}<eos>]
            tool: 1
            tool: 2
            assistant:[ Done<eos>]
            """);
    for (String name : List.of("deepseek-llm", "deepseek-coder")) {
      assertThatThrownBy(() -> marked(name, chat))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining(name)
          .hasMessageContaining("deepseek-v3 has");
    }
  }

  @Test
  void namesMarkersThatTheTokenizerLacks() {
    assertThatThrownBy(() -> encoder("deepseek-v3"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("<｜User｜>");
    assertThatThrownBy(() -> ChatTemplate.named("deepseek-v4"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("deepseek-v");
    assertThatThrownBy(() -> encoder("plain").encode(new ChatRecord(CHAT.subList(0, 2))))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("none is the assistant's");
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "deepseek-llm", "deepseek-v3"})
  void isTheWholeTextEncodedAtOnceWithV3(String template) {
    Tokenizer v3 = deepSeekV3();
    ChatEncoder encoder = new ChatEncoder(ChatTemplate.named(template), v3);
    Random random = new Random(20260108);
    String space = template.equals("deepseek-v3") ? "" : " ";
    ChatRenderer renderer = new ChatRenderer(ChatTemplate.named(template), v3);
    for (int i = 0; i < 200; i++) {
      ChatRecord chat = new ChatRecord(randomChat(random));
      StringBuilder answers = new StringBuilder();
      for (Message message : chat.messages()) {
        answers.append(
            message.role() == Role.ASSISTANT
                ? space + message.content() + "<｜end▁of▁sentence｜>"
                : "");
      }
      EncodedChat encoded = encoder.encode(chat);
      assertThat(encoded.ids()).isEqualTo(v3.encode(renderer.render(chat, false).text()));
      assertThat(v3.decode(trainable(encoded))).isEqualTo(answers.toString());
    }
  }

  @Test
  void aPromptIsTheBeginningOfTheChat() {
    Tokenizer v3 = deepSeekV3();
    ChatEncoder encoder = new ChatEncoder(ChatTemplate.named("deepseek-v3"), v3);
    int[] prompt = encoder.encodePrompt(CHAT.subList(0, 2));
    EncodedChat whole = encoder.encode(new ChatRecord(CHAT.subList(0, 3)));
    assertThat(Arrays.copyOf(whole.ids(), prompt.length)).isEqualTo(prompt);
    assertThat(whole.isTrainable(prompt.length - 1)).isFalse();
    assertThat(whole.isTrainable(prompt.length)).isTrue();
    assertThat(whole.trainableTokens()).isEqualTo(whole.ids().length - prompt.length);
  }

  private ChatEncoder encoder(String template) {
    return new ChatEncoder(ChatTemplate.named(template), bytes);
  }

  private String written(String template, List<Message> chat) {
    return shown(encoder(template).encode(new ChatRecord(chat)), bytes);
  }

  /** As the other, by a tokenizer that knows the markers. */
  private String marked(String template, List<Message> chat) {
    ChatEncoder encoder = new ChatEncoder(ChatTemplate.named(template), read);
    return MarkedBytes.shown(shown(encoder.encode(new ChatRecord(chat)), read));
  }

  /** The decoded chat with what is learned in brackets. */
  static String shown(EncodedChat encoded, Tokenizer tokenizer) {
    List<Integer> part = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    for (int i = 0; i <= encoded.ids().length; i++) {
      boolean learned = i < encoded.ids().length && encoded.isTrainable(i);
      boolean before = i > 0 && encoded.isTrainable(i - 1);
      if (i == encoded.ids().length || learned != before) {
        String words = tokenizer.decode(part.stream().mapToInt(Integer::intValue).toArray());
        text.append(before ? "[" + words + "]" : words);
        part.clear();
      }
      if (i < encoded.ids().length) {
        part.add(encoded.ids()[i]);
      }
    }
    return text.toString();
  }

  private static int[] trainable(EncodedChat chat) {
    List<Integer> ids = new ArrayList<>();
    for (int i = 0; i < chat.ids().length; i++) {
      if (chat.isTrainable(i)) {
        ids.add(chat.ids()[i]);
      }
    }
    return ids.stream().mapToInt(Integer::intValue).toArray();
  }

  private static List<Message> randomChat(Random random) {
    List<String> words = List.of("Hello", " world", "你好", "1234", "\n", "x = 1;", "  ", "!", "😀");
    List<Message> chat = new ArrayList<>();
    for (int turn = random.nextInt(1, 5); turn > 0; turn--) {
      for (Role role : List.of(Role.USER, Role.ASSISTANT)) {
        StringBuilder text = new StringBuilder("T");
        for (int i = random.nextInt(20); i > 0; i--) {
          text.append(words.get(random.nextInt(words.size())));
        }
        chat.add(new Message(role, text.append('.').toString()));
      }
    }
    return chat;
  }

  private static Tokenizer deepSeekV3() {
    Path folder = Path.of(System.getProperty("duoka.repository", ".."), ".cache", "deepseek-v3");
    assumeTrue(
        Files.exists(folder.resolve("tokenizer.json")),
        () -> "skipped: " + folder + " is not there; tools/fetch-test-data fetches it");
    return HfTokenizer.read(folder);
  }
}
