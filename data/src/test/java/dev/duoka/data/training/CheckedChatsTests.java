package dev.duoka.data.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.data.chat.ChatDocumentEncoder;
import dev.duoka.data.chat.ChatForm;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.data.shard.EncodedDocument;
import dev.duoka.data.source.BadDocuments;
import dev.duoka.data.source.BadRecordException;
import dev.duoka.data.source.Document;
import dev.duoka.data.source.SkipReason;
import dev.duoka.data.tokenizer.ByteTokenizer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Chats are written as letters: s, u, a, t say something, capitals say nothing. */
class CheckedChatsTests {
  private static final ByteTokenizer BYTES = new ByteTokenizer();
  private static final int LONGEST = 40;

  private static CheckedChats encoder(BadDocuments policy) {
    return new CheckedChats(
        new ChatDocumentEncoder(ChatTemplate.named("plain"), BYTES, ChatForm.USUAL),
        policy,
        LONGEST);
  }

  private static String json(String chat) {
    StringBuilder turns = new StringBuilder();
    for (int i = 0; i < chat.length(); i++) {
      char letter = chat.charAt(i);
      String role =
          switch (Character.toLowerCase(letter)) {
            case 's' -> "system";
            case 'u' -> "user";
            case 'c', 'a' -> "assistant";
            case 't' -> "tool";
            default -> "nobody";
          };
      String said = Character.isUpperCase(letter) ? " " : "word" + i;
      String calls =
          letter == 'c'
              ? ", \"tool_calls\": [{\"function\": {\"name\": \"f\", \"arguments\": \"{}\"}}]"
              : "";
      turns
          .append(i == 0 ? "" : ", ")
          .append("{\"role\": \"%s\", \"content\": \"%s\"%s}".formatted(role, said, calls));
    }
    return "{\"messages\": [" + turns + "]}";
  }

  private static EncodedDocument encode(BadDocuments policy, String json) {
    return encoder(policy).encode(new Document("chats.jsonl#1", json));
  }

  @ParameterizedTest
  @CsvSource({
    "uua, ROLE_ORDER, messages[1] is the user's",
    "uaa, ROLE_ORDER, messages[2] is the assistant's",
    "usa, ROLE_ORDER, messages[1] is a system prompt that is not the first",
    "uta, ROLE_ORDER, messages[1] is a tool's",
    "uatua, ROLE_ORDER, messages[2] is a tool's",
    "ua Ua, EMPTY_TURN, messages[2] says nothing",
    "uA, EMPTY_TURN, messages[1] says nothing",
    "u, NO_ANSWER, no answer",
    "s, NO_ANSWER, no answer"
  })
  void faultsHaveAReasonAndAPlace(String chat, SkipReason reason, String problem) {
    String json = json(chat.replace(" ", ""));
    for (BadDocuments policy : new BadDocuments[] {BadDocuments.REFUSE, BadDocuments.SKIP}) {
      assertThatThrownBy(() -> encode(policy, json))
          .isInstanceOfSatisfying(
              BadRecordException.class, e -> assertThat(e.reason()).isEqualTo(reason))
          .hasMessageContaining(problem);
      assertThatThrownBy(() -> encoder(policy).check(new Document("x#1", json)))
          .hasMessageContaining(problem);
    }
  }

  /** Near misses. */
  @ParameterizedTest
  @ValueSource(strings = {"ua", "sua", "Sua", "ssua", "a", "auaua", "ucta", "uctta", "ucTa"})
  void isSilentAbout(String chat) {
    EncodedDocument encoded = encode(BadDocuments.REFUSE, json(chat));
    assertThat(encoded.notes().fault()).isNull();
    assertThat(encoded.notes().remarks()).isEmpty();
    assertThat(encoded.notes().form()).isEqualTo("messages");
    assertThatCode(() -> encoder(BadDocuments.REFUSE).check(new Document("x#1", json(chat))))
        .doesNotThrowAnyException();
  }

  @Test
  void aToolThatIsCalledInTextIsCalled() {
    String called = json("uata").replace("word1", "<tool_call>f</tool_call>");
    assertThat(encode(BadDocuments.REFUSE, called).notes().fault()).isNull();
  }

  /** What stands beside the turns is said to the model, too. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'system': 'a [INST]', 'messages': [{'role': 'user', 'content': 'q'},"
            + " {'role': 'assistant', 'content': 'a'}]} | system holds the marker",
        "{'instruction': 'q', 'input': 'a [INST]', 'output': 'b'} |"
            + " instruction with input holds the marker",
        "{'instruction': 'q', 'input': '01234567890123456789012345678901234567890', 'output':"
            + " 'b'} | instruction with input has 44 bytes",
        "{'query': 'a [INST]', 'response': 'b'} | instruction holds the marker",
        "{'prompt': [{'role': 'user', 'content': 'q'}], 'completion': [{'role': 'assistant',"
            + " 'content': ' '}]} | messages[1] says nothing",
      })
  void fieldsBesideTurnsAreLookedAt(String record, String problem) {
    String json = record.replace('\'', '"');
    assertThatThrownBy(() -> encode(BadDocuments.REFUSE, json)).hasMessageContaining(problem);
  }

  @Test
  void aSystemPromptBesideTheTurnsIsCutAsOneOfThem() {
    String chat = ", \"messages\": " + json("uauu").substring("{\"messages\": ".length());
    EncodedDocument cut = encode(BadDocuments.CUT, "{\"system\": \"Be brief.\"" + chat);
    assertThat(BYTES.decode(cut.tokens())).contains("Be brief.", "word0", "word1");
    assertThat(BYTES.decode(cut.tokens())).doesNotContain("word2");
    String longest = "x".repeat(LONGEST);
    EncodedDocument shortened =
        encode(BadDocuments.CUT, "{\"system\": \"" + longest + "yz\"" + chat);
    assertThat(BYTES.decode(shortened.tokens())).contains(longest).doesNotContain("xy");
  }

  @Test
  void callsThatOtherTrainersWriteAsTextAreCalls() {
    String chat =
        """
        {"conversations": [{"from": "human", "value": "q"},
         {"from": "function_call", "value": "{\\"name\\": \\"f\\", \\"arguments\\": {}}"},
         {"from": "observation", "value": "1"}, {"from": "gpt", "value": "a"}]}\
        """;
    assertThat(encode(BadDocuments.REFUSE, chat).notes().fault()).isNull();
    String broken = chat.replace("{}}", "{}");
    assertThatThrownBy(() -> encode(BadDocuments.REFUSE, broken))
        .hasMessageContaining("at conversations[1] a call that is no {\"name\", \"arguments\"}");
  }

  @Test
  void aQuestionAtTheEndIsWorthARemark() {
    assertThat(encode(BadDocuments.REFUSE, json("uau")).notes().remarks())
        .containsExactly("chats end with a question that nobody answers");
  }

  @ParameterizedTest
  @ValueSource(strings = {"<|im_end|>", "[INST] hi", "a <|eot_id|> b", "<\uFF5CAssistant\uFF5C>"})
  void aTurnThatWasRenderedBeforeIsFound(String text) {
    String json = json("ua").replace("word1", text);
    assertThatThrownBy(() -> encode(BadDocuments.REFUSE, json))
        .isInstanceOfSatisfying(
            BadRecordException.class,
            e -> {
              assertThat(e.reason()).isEqualTo(SkipReason.MARKERS);
              assertThat(e.excerpt()).contains(text);
            });
  }

  @Test
  void wordsLikeMarkersAreNone() {
    String json = json("ua").replace("word1", "<b> im_end [inst] </b> |User|");
    assertThat(encode(BadDocuments.REFUSE, json).notes().fault()).isNull();
  }

  /** What is left is a chat that would have been good by itself. */
  @ParameterizedTest
  @CsvSource({"uauaa, uaua", "uauua, ua", "uaUa, ua", "suatu, sua", "ucta u u, ucta", "uaxa, ua"})
  void cutsBehindTheLastAnswerBeforeTheFault(String chat, String kept) {
    EncodedDocument cut = encode(BadDocuments.CUT, json(chat.replace(" ", "")));
    EncodedDocument whole = encode(BadDocuments.REFUSE, json(kept));
    assertThat(cut.tokens()).isEqualTo(whole.tokens());
    assertThat(cut.lossMask()).isEqualTo(whole.lossMask());
    assertThat(cut.notes().fault()).isNotNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"uua", "uA", "u", "Ua", "xua", "uct"})
  void whatHasNoGoodBeginningIsNotCut(String chat) {
    String json = json(chat);
    if (chat.equals("uct")) {
      assertThatCode(() -> encode(BadDocuments.CUT, json)).doesNotThrowAnyException();
    } else {
      assertThatThrownBy(() -> encode(BadDocuments.CUT, json)).isInstanceOf(DuokaException.class);
    }
  }

  @Test
  void aLongQuestionIsShortenedAndALongAnswerIsNot() {
    String words = "\u00e9".repeat(LONGEST); // two bytes each
    String question = json("ua").replace("word0", words);
    assertThatThrownBy(() -> encode(BadDocuments.REFUSE, question))
        .hasMessageContaining("messages[0] has 80 bytes, more than the 40 of data.longest_turn");
    assertThat(encode(BadDocuments.CUT, question).tokens())
        .isEqualTo(
            encode(BadDocuments.REFUSE, json("ua").replace("word0", words.substring(0, 20)))
                .tokens());
    assertThatCode(
            () -> encode(BadDocuments.REFUSE, json("ua").replace("word0", words.substring(0, 20))))
        .doesNotThrowAnyException();
    String answer = json("uaua").replace("word3", words);
    assertThat(encode(BadDocuments.CUT, answer).tokens())
        .isEqualTo(encode(BadDocuments.REFUSE, json("ua")).tokens());
    assertThatThrownBy(() -> encode(BadDocuments.CUT, json("ua").replace("word1", words)))
        .hasMessageContaining("data.longest_turn");
  }

  @Test
  void otherFormsAreLookedAtToo() {
    assertThatThrownBy(
            () ->
                encode(
                    BadDocuments.SKIP,
                    "{\"conversations\": [{\"from\": \"human\", \"value\": \"a\"}, {\"from\":"
                        + " \"human\", \"value\": \"b\"}, {\"from\": \"gpt\", \"value\": \"c\"}]}"))
        .hasMessageContaining("conversations[1] is the user's");
    assertThatThrownBy(
            () -> encode(BadDocuments.SKIP, "{\"instruction\": \" \", \"output\": \"b\"}"))
        .hasMessageContaining("instruction says nothing");
    assertThat(
            encode(BadDocuments.CUT, "{\"prompt\": \"a\", \"completion\": \"b\"}").notes().form())
        .isEqualTo("prompt");
  }

  @Test
  void onlyWhatIsLeftOutOrCutMakesOtherTokens() {
    String plain =
        new ChatDocumentEncoder(ChatTemplate.named("plain"), BYTES, ChatForm.USUAL).fingerprint();
    assertThat(encoder(BadDocuments.REFUSE).fingerprint()).isEqualTo(plain);
    assertThat(encoder(BadDocuments.CUT).fingerprint())
        .isNotEqualTo(encoder(BadDocuments.SKIP).fingerprint())
        .startsWith(plain);
  }
}
