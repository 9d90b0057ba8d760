package dev.duoka.machine.probe;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The GPUs of a machine while several sources are being read. */
final class GpuDrafts {
  /** More GPUs than any one machine has; what goes beyond is refused as damage. */
  static final int MOST = 1024;

  private final List<GpuDraft> list = new ArrayList<>();

  /** Adds what one source says of one GPU: to the draft of the same GPU, or as a further one. */
  void add(GpuDraft draft) {
    Optional<GpuDraft> same = list.stream().filter(known -> known.isSameAs(draft)).findFirst();
    if (same.isPresent()) {
      same.get().complete(draft);
    } else if (list.size() < MOST) {
      list.add(draft);
    }
  }

  List<GpuDraft> list() {
    return List.copyOf(list);
  }

  /**
   * The GPUs in the order of their numbers, or of their appearance where no source numbers them.
   */
  List<Gpu> build() {
    List<Gpu> gpus = new ArrayList<>();
    for (int position = 0; position < list.size(); position++) {
      GpuDraft draft = list.get(position);
      int fallback = position;
      gpus.add(
          draft.build(
              draft
                  .text(GpuField.INDEX)
                  .filter(text -> text.matches("\\d{1,6}"))
                  .map(Integer::parseInt)
                  .orElse(fallback)));
    }
    gpus.sort((a, b) -> Integer.compare(a.index(), b.index()));
    return gpus;
  }
}
