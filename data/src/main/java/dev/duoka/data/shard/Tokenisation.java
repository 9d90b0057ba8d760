package dev.duoka.data.shard;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.source.Corpus;
import dev.duoka.data.source.Document;
import dev.duoka.data.source.DocumentReader;
import dev.duoka.data.source.PendingDocument;
import dev.duoka.data.source.SkipReason;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * One pass over a corpus: the calling thread walks and writes, all cores read, decode, encode and
 * pack.
 *
 * <p>Batches of documents are written in the order in which they were handed out, so the result
 * does not depend on the number of threads. Few batches are under way at a time, so memory does not
 * depend on the size of the corpus.
 */
final class Tokenisation {
  private static final int BATCH_DOCUMENTS = 512;
  private static final long BATCH_BYTES = 1 << 17;
  private static final long BYTES_UNDER_WAY = 1 << 26;
  private static final double SECONDS_BETWEEN_REPORTS = 0.25;

  private final Corpus corpus;
  private final DocumentEncoder encoder;
  private final ShardWriter writer;
  private final TokenisationListener listener;
  private final int threads;
  private final long startNanos = System.nanoTime();
  private double lastReport;
  private long bytes;
  private long empty;

  /** Whether a bad document was found and its source refuses such: the rest is only looked at. */
  private volatile boolean refused;

  Tokenisation(
      Corpus corpus,
      DocumentEncoder encoder,
      ShardWriter writer,
      TokenisationListener listener,
      int threads) {
    this.corpus = corpus;
    this.encoder = encoder;
    this.writer = writer;
    this.listener = listener;
    this.threads = threads;
  }

  private record Batch(List<PendingDocument> documents, long bytes) {}

  private record EncodedBatch(PackedDocuments documents, long empty) {}

  private record UnderWay(Batch batch, Future<EncodedBatch> result) {}

  /**
   * Writes all documents; the counts of those left out come back.
   *
   * @throws DuokaException after the last document, if some are bad and their source refuses such
   */
  Map<SkipReason, Long> run() throws IOException {
    ExecutorService pool =
        Executors.newFixedThreadPool(
            threads, Thread.ofPlatform().daemon().name("duoka-tokenise-", 0).factory());
    try (DocumentReader reader = corpus.reader()) {
      Deque<UnderWay> underWay = new ArrayDeque<>();
      long bytesUnderWay = 0;
      boolean more = true;
      while (more || !underWay.isEmpty()) {
        while (more && underWay.size() < 2 * threads + 2 && bytesUnderWay < BYTES_UNDER_WAY) {
          Batch batch = nextBatch(reader);
          more = !batch.documents().isEmpty();
          if (more) {
            underWay.add(new UnderWay(batch, pool.submit(() -> encode(batch))));
            bytesUnderWay += batch.bytes();
          }
        }
        if (!underWay.isEmpty()) {
          UnderWay first = underWay.remove();
          write(result(first.result()));
          bytesUnderWay -= first.batch().bytes();
          bytes += first.batch().bytes();
          report(false);
        }
        if (listener.stopRequested()) {
          throw new TokenisationStoppedException();
        }
      }
    } finally {
      pool.shutdownNow();
      // Workers read from the corpus, which the caller may close next.
      pool.close();
    }
    if (refused) {
      throw corpus.badData().refusal();
    }
    report(true);
    Map<SkipReason, Long> skipped = new EnumMap<>(SkipReason.class);
    skipped.putAll(corpus.skipped());
    if (empty > 0) {
      skipped.merge(SkipReason.EMPTY, empty, Long::sum);
    }
    return skipped;
  }

  private static Batch nextBatch(DocumentReader reader) {
    List<PendingDocument> documents = new ArrayList<>();
    long bytes = 0;
    while (documents.size() < BATCH_DOCUMENTS && bytes < BATCH_BYTES) {
      PendingDocument document = reader.next();
      if (document == null) {
        break;
      }
      documents.add(document);
      bytes += document.bytes();
    }
    return new Batch(documents, bytes);
  }

  private EncodedBatch encode(Batch batch) {
    PackedDocuments packed = new PackedDocuments(encoder.vocabularySize());
    long withoutTokens = 0;
    for (PendingDocument pending : batch.documents()) {
      EncodedDocument encoded = encode(pending);
      if (encoded == null) {
        continue;
      }
      if (encoded.tokens().length == 0) {
        withoutTokens++;
      } else {
        packed.add(pending.id(), encoded);
      }
    }
    return new EncodedBatch(packed, withoutTokens);
  }

  /** Null where nothing comes of the document, which is noted. */
  private @Nullable EncodedDocument encode(PendingDocument pending) {
    Document document = pending.read();
    try {
      if (document != null && refused) {
        encoder.check(document); // nothing is kept any more: what else is wrong is wanted
      } else if (document != null) {
        EncodedDocument encoded = encoder.encode(document);
        note(pending, encoded.notes());
        return encoded;
      }
    } catch (DuokaException e) {
      if (e.code() != ErrorCode.DATA) {
        throw e; // the tokenizer's or the template's fault, not the document's
      }
      pending.leaveOut(e);
      document = null;
    }
    refused |= document == null && pending.refusesBad() && !corpus.badData().isClean();
    return null;
  }

  private static void note(PendingDocument pending, EncodedDocument.Notes notes) {
    if (notes.fault() != null) {
      pending.keepBeginning(notes.fault());
    }
    notes.remarks().forEach(pending::remark);
    if (!notes.form().isEmpty()) {
      pending.form(notes.form());
    }
  }

  private void write(EncodedBatch batch) throws IOException {
    writer.write(batch.documents());
    empty += batch.empty();
  }

  private static EncodedBatch result(Future<EncodedBatch> future) {
    try {
      return future.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      if (e.getCause() instanceof Error cause) {
        throw cause;
      }
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DuokaException(
          ErrorCode.DATA,
          "tokenising was interrupted",
          "Start again; nothing half-written is kept.",
          e);
    }
  }

  private void report(boolean done) {
    double seconds = (System.nanoTime() - startNanos) / 1e9;
    if (done || seconds - lastReport > SECONDS_BETWEEN_REPORTS) {
      lastReport = seconds;
      listener.progress(
          new TokenisationProgress(
              writer.documents(), writer.tokens(), bytes, corpus.bytes(), seconds, done));
    }
  }
}
