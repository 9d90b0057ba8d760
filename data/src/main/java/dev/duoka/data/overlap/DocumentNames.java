package dev.duoka.data.overlap;

import dev.duoka.base.DuokaException;
import dev.duoka.data.shard.DocumentHash;
import dev.duoka.data.source.Corpus;
import dev.duoka.data.source.DocumentReader;
import dev.duoka.data.source.PendingDocument;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Finds out what a few documents are called, by reading their sources as far as they are. */
final class DocumentNames {
  private DocumentNames() {}

  /** The names of documents by their places; one that is not found has its number for a name. */
  static Map<DocumentPlace, String> of(Set<DocumentPlace> places, List<OverlapSource> sources) {
    Map<DocumentPlace, String> names = new HashMap<>();
    for (int i = 0; i < sources.size(); i++) {
      OverlapSource source = sources.get(i);
      Map<Long, DocumentPlace> wanted = new HashMap<>();
      for (DocumentPlace place : new TreeSet<>(places)) {
        if (place.source() == i) {
          wanted.put(source.shards().documentHash(place.document()), place);
          names.put(place, source.name() + " document " + (place.document() + 1));
        }
      }
      if (!wanted.isEmpty()) {
        find(source, wanted, names);
      }
    }
    return names;
  }

  private static void find(
      OverlapSource source, Map<Long, DocumentPlace> wanted, Map<DocumentPlace, String> names) {
    Set<Long> missing = new HashSet<>(wanted.keySet());
    try (Corpus corpus = Corpus.open(source.files());
        DocumentReader reader = corpus.reader()) {
      PendingDocument next = reader.next();
      while (next != null && !missing.isEmpty()) {
        long hash = DocumentHash.of(next.id());
        DocumentPlace place = wanted.get(hash);
        if (place != null && missing.remove(hash)) {
          names.put(place, next.name());
        }
        next = reader.next();
      }
    } catch (DuokaException _) {
      // The tokens are there though the files are not readable any more: numbers have to do.
    }
  }
}
