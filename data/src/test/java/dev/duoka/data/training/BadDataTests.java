package dev.duoka.data.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.data.batch.DocumentSplit;
import dev.duoka.data.chat.ChatForm;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.data.overlap.Duplicates;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.shard.TokenisationProgress;
import dev.duoka.data.source.BadDataReport;
import dev.duoka.data.source.BadDocuments;
import dev.duoka.data.source.DocumentFormat;
import dev.duoka.data.source.RecordContent;
import dev.duoka.data.source.SkipReason;
import dev.duoka.data.source.SourceSpec;
import dev.duoka.data.tokenizer.ByteTokenizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file with one of everything that can be wrong. */
class BadDataTests {
  private static final String GOOD =
      "{\"messages\": [{\"role\": \"user\", \"content\": \"q%d\"}, {\"role\": \"assistant\","
          + " \"content\": \"a%d\"}]}";

  @TempDir Path folder;

  private Path file(boolean bad) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < 700; i++) {
      String good = GOOD.formatted(i, i);
      String line =
          switch (bad ? i : -1) {
            case 3 -> good.replace("\"assistant\"", "\"user\"");
            case 40 -> good.replace("a40", "");
            case 41 -> good.substring(0, 30);
            case 42 -> "{\"instruction\": \"do\", \"output\": \"done\"}";
            case 600 -> good.replace("q600", "x".repeat(300));
            case 601 -> "{\"messages\": [{\"role\": \"user\", \"content\": \"say\\nit\\u0007\"}]}";
            case 602 -> "{\"text\": \"no chat\"}";
            default -> good;
          };
      out.writeBytes(line.getBytes(StandardCharsets.UTF_8));
      if (bad && i == 650) {
        out.write(0xFF);
      }
      out.write('\n');
    }
    return Files.write(folder.resolve("chats.jsonl"), out.toByteArray());
  }

  private DataPlan plan(Path file, BadDocuments policy) {
    ByteTokenizer tokenizer = new ByteTokenizer();
    SourceSpec spec =
        SourceSpec.of(file.toString())
            .withFormat(DocumentFormat.AUTO)
            .withContent(new RecordContent.WholeRecord())
            .withBadDocuments(policy);
    return DataPlan.of(
        List.of(spec),
        new TrainingForm.Chats(
            tokenizer, ChatTemplate.named("plain"), ChatForm.USUAL, false, false, 64),
        DocumentSplit.NONE,
        200,
        Duplicates.KEEP);
  }

  private TrainingData open(Path file, BadDocuments policy, TokenisationListener listener) {
    return TrainingData.open(plan(file, policy), folder.resolve("cache"), listener);
  }

  @Test
  void allOfItIsLookedAtBeforeItIsRefused() throws IOException {
    Path file = file(true);
    assertThatThrownBy(() -> open(file, BadDocuments.REFUSE, TokenisationListener.SILENT))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("7 documents cannot be trained on")
        .hasMessageContaining("1 with roles out of order")
        .hasMessageContaining("1 with a turn that is too long")
        .hasMessageContaining("1 not valid JSON")
        .hasMessageContaining("1 not valid UTF-8")
        .hasMessageContaining("1 chats without an answer")
        .hasMessageContaining(
            file + " line 4: messages[1] is the user's, as the one before, \"a3\"")
        .hasMessageContaining(file + " line 602: the chat has no answer of the assistant")
        .hasMessageContaining("\"say\\nit\\u0007\"")
        .hasMessageContaining("data.on_bad_record");
    assertThat(folder.resolve("cache")).isDirectoryNotContaining(p -> Files.isDirectory(p));
  }

  @Test
  void oneAloneIsNamedInOneLine() throws IOException {
    Path file = file(false);
    Files.writeString(
        file, Files.readString(file).replace("\"q5\"", "\"\""), StandardCharsets.UTF_8);
    assertThatThrownBy(() -> open(file, BadDocuments.REFUSE, TokenisationListener.SILENT))
        .hasMessageStartingWith(file + " line 6: messages[0] says nothing. Correct it, or set")
        .hasMessageNotContaining("\n");
  }

  @Test
  void theReportIsKeptBesideTheTokens() throws IOException {
    Path file = file(true);
    Notices first = new Notices();
    TrainingData skipped = open(file, BadDocuments.SKIP, first);
    BadDataReport report = skipped.report().sources().getFirst().badData();
    assertThat(report.bad())
        .containsEntry(SkipReason.ROLE_ORDER, 1L)
        .containsEntry(SkipReason.EMPTY_TURN, 1L)
        .containsEntry(SkipReason.BAD_JSON, 1L)
        .containsEntry(SkipReason.LONG_TURN, 1L)
        .containsEntry(SkipReason.NO_ANSWER, 1L)
        .containsEntry(SkipReason.UNUSABLE, 1L)
        .containsEntry(SkipReason.BAD_UTF8, 1L)
        .hasSize(7);
    assertThat(report.remarks())
        .isEqualTo(
            Map.of(
                "records of chats.jsonl are of several forms: instruction 1, messages 692", 693L));
    assertThat(report.places().getFirst().name()).endsWith("chats.jsonl line 4");
    assertThat(report.places())
        .extracting(BadDataReport.Place::reason)
        .last()
        .isEqualTo(SkipReason.BAD_UTF8);
    assertThat(skipped.training().count()).isEqualTo(693);
    Notices second = new Notices();
    assertThat(open(file, BadDocuments.SKIP, second).report()).isEqualTo(skipped.report());
    assertThat(second.tokenised).isFalse();
    assertThat(second.lines).anyMatch(line -> line.startsWith("bad documents: "));
    assertThat(first.lines).containsAll(second.lines);
  }

  @Test
  void cutKeepsWhatIsGood() throws IOException {
    TrainingData cut = open(file(true), BadDocuments.CUT, TokenisationListener.SILENT);
    BadDataReport report = cut.report().sources().getFirst().badData();
    assertThat(report.cut()).isEqualTo(Map.of(SkipReason.LONG_TURN, 1L));
    assertThat(cut.training().count()).isEqualTo(694);
    assertThat(report.lines().getFirst())
        .endsWith(
            "of these keep their beginning: 1 with a turn that is too long, others are left out");
  }

  /** What is told does not depend on which thread reads what. */
  @Test
  void namesTheFirstTen() throws IOException {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 3000; i++) {
      lines.append(i % 100 == 7 ? "{}" : GOOD.formatted(i, i)).append('\n');
    }
    Path file = Files.writeString(folder.resolve("many.jsonl"), lines);
    TrainingData data = open(file, BadDocuments.SKIP, TokenisationListener.SILENT);
    BadDataReport report = data.report().sources().getFirst().badData();
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      expected.add(file + " line " + (100 * i + 8));
    }
    assertThat(report.places()).extracting(BadDataReport.Place::name).isEqualTo(expected);
    assertThat(report.lines()).contains("  and 20 more");
  }

  static final class Notices implements TokenisationListener {
    final List<String> lines = new ArrayList<>();
    boolean tokenised;

    @Override
    public void progress(TokenisationProgress progress) {
      tokenised = true;
    }

    @Override
    public void notice(String message) {
      lines.add(message);
    }
  }
}
