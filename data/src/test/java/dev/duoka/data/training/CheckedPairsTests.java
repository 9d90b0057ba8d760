package dev.duoka.data.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.data.batch.DocumentSplit;
import dev.duoka.data.batch.Sample;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.data.overlap.Duplicates;
import dev.duoka.data.pair.PairDocumentEncoder;
import dev.duoka.data.shard.EncodedDocument;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.source.BadDocuments;
import dev.duoka.data.source.BadRecordException;
import dev.duoka.data.source.Document;
import dev.duoka.data.source.DocumentFormat;
import dev.duoka.data.source.RecordContent;
import dev.duoka.data.source.SkipReason;
import dev.duoka.data.source.SourceSpec;
import dev.duoka.data.tokenizer.ByteTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Records are written with single quotes. */
class CheckedPairsTests {
  private static final ByteTokenizer BYTES = new ByteTokenizer();
  private static final int LONGEST = 40;

  /** Leaves out what is thought before an answer; what is learned stands in two blocks. */
  private static final String BLOCKS =
      """
      {%- for m in messages -%}
        {%- if m.role == 'assistant' -%}
          A:{% generation %}{{ m.content.split('</think>')[-1] }}{% endgeneration %}
          {%- if m.tool_calls %} and{% generation %} call{% endgeneration %}{% endif -%}
          {% generation %}{{ eos_token }}{% endgeneration %}
        {%- else -%}
          {{ m.role }}:{{ m.content }};
        {%- endif -%}
      {%- endfor -%}
      {%- if add_generation_prompt -%}A:{%- endif -%}
      """;

  @TempDir Path folder;

  private static CheckedPairs encoder(ChatTemplate template, BadDocuments policy) {
    return new CheckedPairs(
        new PairDocumentEncoder(template, BYTES, Optional.empty()), policy, LONGEST);
  }

  private static Document document(String json) {
    return new Document("pairs.jsonl line 3", json.replace('\'', '"'));
  }

  private static EncodedDocument encode(BadDocuments policy, String json) {
    return encoder(ChatTemplate.named("plain"), policy).encode(document(json));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'prompt': ' ', 'chosen': 'b', 'rejected': 'c'} | EMPTY_TURN | chosen: messages[0] says",
        "{'prompt': 'a', 'chosen': 'b', 'rejected': ' '} | EMPTY_TURN | rejected: messages[1] says",
        "{'prompt': 'a', 'chosen': 'b', 'rejected': 'c <end_of_turn>'} | MARKERS | rejected:"
            + " messages",
        "{'prompt': '[INST] a', 'chosen': 'b', 'rejected': 'c'} | MARKERS | chosen: messages[0]",
        "{'messages': [{'role': 'user', 'content': 'a'}, {'role': 'user', 'content': 'b'}],"
            + " 'chosen': 'c', 'rejected': 'd'} | ROLE_ORDER | chosen: messages[1] is the user's",
        "{'prompt': [{'role': 'tool', 'content': 'a'}], 'chosen': 'c', 'rejected': 'd'}"
            + " | ROLE_ORDER | messages[0] is a tool's",
        "{'instruction': 'a', 'chosen': 'b', 'rejected':"
            + " '01234567890123456789012345678901234567890'} | LONG_TURN | rejected: output has 41"
            + " bytes",
        "{'prompt': 'a', 'chosen': 'b', 'rejected': 'b'} | SAME_ANSWER | the same answer twice",
      })
  void faultsHaveAReasonAndAPlace(String json, SkipReason reason, String problem) {
    for (BadDocuments policy : BadDocuments.values()) {
      assertThatThrownBy(() -> encode(policy, json))
          .isInstanceOfSatisfying(
              BadRecordException.class, e -> assertThat(e.reason()).isEqualTo(reason))
          .hasMessageContaining(problem);
    }
    CheckedPairs encoder = encoder(ChatTemplate.named("plain"), BadDocuments.REFUSE);
    assertThatThrownBy(() -> encoder.check(document(json))).hasMessageContaining(problem);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'prompt': 'a', 'chosen': 'b', 'rejected': 'c'}",
        "{'prompt': [{'role': 'system', 'content': ''}, {'role': 'user', 'content': 'a'}],"
            + " 'chosen': 'b', 'rejected': '<b> c'}",
        "{'instruction': 'a', 'output': ['b', 'c']}",
      })
  void isSilentAbout(String json) {
    EncodedDocument encoded = encode(BadDocuments.REFUSE, json);
    assertThat(encoded.notes().fault()).isNull();
    assertThat(encoded.notes().form()).isIn("prompt", "instruction");
  }

  @Test
  void aLongQuestionIsShortenedOnBothSides() {
    String json = "{'prompt': '%s', 'chosen': 'b', 'rejected': 'c'}";
    EncodedDocument cut = encode(BadDocuments.CUT, json.formatted("x".repeat(60)));
    assertThat(cut.tokens())
        .isEqualTo(encode(BadDocuments.REFUSE, json.formatted("x".repeat(LONGEST))).tokens());
    assertThat(cut.notes().fault()).isNotNull();
    assertThatThrownBy(() -> encode(BadDocuments.SKIP, json.formatted("x".repeat(60))))
        .hasMessageContaining("data.longest_turn");
  }

  @Test
  void answersThatATemplateMakesAlikeAreNoPair() {
    ChatTemplate template = ChatTemplate.ofJinja("blocks", BLOCKS);
    CheckedPairs encoder = encoder(template, BadDocuments.SKIP);
    assertThatThrownBy(
            () ->
                encoder.encode(
                    document("{'prompt': 'a', 'chosen': 'x</think>b', 'rejected': 'y</think>b'}")))
        .isInstanceOfSatisfying(
            BadRecordException.class, e -> assertThat(e.reason()).isEqualTo(SkipReason.SAME_ANSWER))
        .hasMessageContaining("once the template has rendered them");
    encoder.encode(document("{'prompt': 'a', 'chosen': 'long</think>b', 'rejected': 'c'}"));
    assertThat(encoder.notices())
        .singleElement()
        .asString()
        .contains("leaves out", "pairs.jsonl line 3 (chosen)");
  }

  private TrainingData open(ChatTemplate template, BadDocuments policy, String... lines)
      throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("pairs.jsonl"), String.join("\n", lines).replace('\'', '"'));
    SourceSpec spec =
        SourceSpec.of(file.toString())
            .withFormat(DocumentFormat.AUTO)
            .withContent(new RecordContent.WholeRecord())
            .withBadDocuments(policy);
    return TrainingData.open(
        DataPlan.of(
            List.of(spec),
            new TrainingForm.Pairs(BYTES, template, Optional.empty(), 120),
            DocumentSplit.NONE,
            LONGEST,
            Duplicates.KEEP),
        folder.resolve("cache"),
        TokenisationListener.SILENT);
  }

  private static String learned(Sample sample) {
    StringBuilder learned = new StringBuilder();
    for (int i = 0; i < sample.length(); i++) {
      if (sample.isLearned(i)) {
        int id = sample.token(i);
        learned.append(BYTES.isSpecial(id) ? "|" : BYTES.decode(new int[] {id}));
      }
    }
    return learned.toString();
  }

  /** Calls of tools, and what stands in one answer before and after what nobody learns. */
  @Test
  void allOfAnAnswerIsLearned() throws IOException {
    String call = "'tool_calls': [{'function': {'name': 'f', 'arguments': '{}'}}]";
    TrainingData data =
        open(
            ChatTemplate.ofJinja("blocks", BLOCKS),
            BadDocuments.REFUSE,
            "{'prompt': 'a', 'chosen': [{'role': 'assistant', 'content': 'one', %s}],"
                    .formatted(call)
                + " 'rejected': [{'role': 'assistant', 'content': 'two', %s}]}".formatted(call),
            "{'prompt': 'a', 'chosen': [{'role': 'assistant', 'content': 'ask', %s},"
                    .formatted(call)
                + " {'role': 'tool', 'content': '4'}, {'role': 'assistant', 'content': 'four'}],"
                + " 'rejected': 'five'}",
            "{'prompt': 'a', 'chosen': 'six', 'rejected': 'seven'}");
    assertThat(learned(data.training().sets().getFirst().sample(0))).isEqualTo("one call|");
    assertThat(learned(data.training().sets().getFirst().sample(1))).isEqualTo("two call|");
    assertThat(learned(data.training().sets().getFirst().sample(2))).isEqualTo("ask call|four|");
    assertThat(learned(data.training().sets().getFirst().sample(3))).isEqualTo("five|");
    assertThat(learned(data.training().sets().getFirst().sample(5))).isEqualTo("seven|");
  }

  @Test
  void thereIsOneReportOfAllOfThem() {
    String good = "{'prompt': 'q%d', 'chosen': 'b', 'rejected': 'c'}";
    assertThatThrownBy(
            () ->
                open(
                    ChatTemplate.named("plain"),
                    BadDocuments.REFUSE,
                    good.formatted(1),
                    "{'prompt': 'a', 'chosen': 'b', 'rejected': 'b'}",
                    "{'prompt': 'a', 'chosen': 'b', 'rejected': ''}",
                    "{'prompt': 'a', 'chosen': 'b'}"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("3 documents cannot be trained on")
        .hasMessageContaining("1 pairs of the same answer twice")
        .hasMessageContaining("pairs.jsonl line 2")
        .hasMessageContaining("line 3: rejected: messages[1] says nothing")
        .hasMessageContaining("pairs.jsonl line 4");
  }
}
