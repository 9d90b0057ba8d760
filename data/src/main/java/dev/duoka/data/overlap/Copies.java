package dev.duoka.data.overlap;

import dev.duoka.data.batch.DocumentSides;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which documents are copies of earlier ones, over all sources in their order. Needs eight bytes a
 * document while they are looked for, and holds the copies alone.
 */
final class Copies {
  /** Of each source: its copies, and the first document of which each is one. */
  private final List<Map<Integer, DocumentPlace>> firsts = new ArrayList<>();

  private Copies() {}

  /**
   * Finds them.
   *
   * @param hashes of the content of each document of each source; none of one that is left alone
   */
  static Copies of(List<long[]> hashes) {
    long[] repeated = repeated(hashes);
    Copies copies = new Copies();
    Map<Long, DocumentPlace> first = new HashMap<>();
    for (int source = 0; source < hashes.size(); source++) {
      Map<Integer, DocumentPlace> own = new TreeMap<>();
      for (int document = 0; document < hashes.get(source).length; document++) {
        long hash = hashes.get(source)[document];
        if (Arrays.binarySearch(repeated, hash) >= 0) {
          DocumentPlace earlier = first.putIfAbsent(hash, new DocumentPlace(source, document));
          if (earlier != null) {
            own.put(document, earlier);
          }
        }
      }
      copies.firsts.add(own);
    }
    return copies;
  }

  /** The hashes that occur more than once, in their order. */
  private static long[] repeated(List<long[]> hashes) {
    long[] sorted = hashes.stream().flatMapToLong(Arrays::stream).toArray();
    Arrays.parallelSort(sorted);
    int count = 0;
    for (int i = 1; i < sorted.length; i++) {
      boolean again = sorted[i] == sorted[i - 1];
      if (again && (count == 0 || sorted[count - 1] != sorted[i])) {
        sorted[count++] = sorted[i]; // behind what is still to be read
      }
    }
    return Arrays.copyOf(sorted, count);
  }

  /** How many there are in a source. */
  long count(int source) {
    return firsts.get(source).size();
  }

  /** How many of those are copies of documents of other sources. */
  long ofOthers(int source) {
    return firsts.get(source).values().stream().filter(first -> first.source() != source).count();
  }

  /** The copies of a source, each with the first document that it is one of. */
  Map<Integer, DocumentPlace> of(int source) {
    return firsts.get(source);
  }

  /**
   * On which side each document of a source is.
   *
   * @param single on which sides documents would be by themselves, of all sources
   * @param drop whether copies are left out; otherwise they are where the first one is
   */
  DocumentSides sides(int source, List<DocumentSides> single, boolean drop) {
    Map<Integer, DocumentPlace> own = firsts.get(source);
    DocumentSides alone = single.get(source);
    if (own.isEmpty()) {
      return alone;
    }
    int[] documents = own.keySet().stream().mapToInt(Integer::intValue).toArray();
    DocumentPlace[] first = own.values().toArray(DocumentPlace[]::new);
    return document -> {
      int index = Arrays.binarySearch(documents, (int) document);
      if (index < 0) {
        return alone.of(document);
      }
      return drop ? null : single.get(first[index].source()).of(first[index].document());
    };
  }
}
