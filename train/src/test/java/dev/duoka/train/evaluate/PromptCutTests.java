package dev.duoka.train.evaluate;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** 1 begins a text. */
class PromptCutTests {
  private final PromptCut cut = new PromptCut(1);

  @Test
  void theTokenThatBeginsATextStays() {
    assertThat(cut.fitting(new int[] {1, 5, 6, 7, 8}, 3)).containsExactly(1, 7, 8);
    assertThat(cut.without(new int[] {1, 5, 6, 7, 8}, 1)).containsExactly(1, 6, 7, 8);
    assertThat(cut.fitting(new int[] {1, 5, 6}, 1)).containsExactly(1);
  }

  @Test
  void whereThereIsNoneTheEndStays() {
    assertThat(cut.fitting(new int[] {4, 5, 6, 7, 8}, 3)).containsExactly(6, 7, 8);
    assertThat(new PromptCut(-1).fitting(new int[] {1, 5, 6}, 2)).containsExactly(5, 6);
  }

  @Test
  void whatFitsIsNotCut() {
    assertThat(cut.fitting(new int[] {1, 5, 6}, 3)).containsExactly(1, 5, 6);
    assertThat(cut.fitting(new int[] {5}, 0)).containsExactly(5);
  }
}
