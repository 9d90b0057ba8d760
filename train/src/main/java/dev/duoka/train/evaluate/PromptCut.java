package dev.duoka.train.evaluate;

/**
 * Makes shorter what is put before a model. It loses its beginning, but for the token that begins a
 * text: without it a model is asked what it has never seen.
 */
final class PromptCut {
  private final int bos;

  /**
   * By a tokenizer's first token.
   *
   * @param bos of a text; an id that no token has where there is none
   */
  PromptCut(int bos) {
    this.bos = bos;
  }

  /** Without so many tokens of its beginning. */
  int[] without(int[] ids, int dropped) {
    int kept = ids.length > 0 && ids[0] == bos && dropped < ids.length ? 1 : 0;
    int[] rest = new int[ids.length - dropped];
    System.arraycopy(ids, 0, rest, 0, kept);
    System.arraycopy(ids, kept + dropped, rest, kept, rest.length - kept);
    return rest;
  }

  /** So much of the end of a prompt as there is room for; one token at least. */
  int[] fitting(int[] prompt, int room) {
    return without(prompt, Math.max(0, prompt.length - Math.max(1, room)));
  }
}
