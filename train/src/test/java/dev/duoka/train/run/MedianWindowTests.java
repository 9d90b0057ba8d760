package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MedianWindowTests {
  @Test
  void isTheMedianOfTheLastValues() {
    MedianWindow window = new MedianWindow(3);
    assertThat(window.median()).isNaN();
    window.add(5);
    assertThat(window.median()).isEqualTo(5);
    window.add(1);
    assertThat(window.median()).isEqualTo(5);
    window.add(2);
    assertThat(window.median()).isEqualTo(2);
    window.add(9); // the 5 goes
    assertThat(window.median()).isEqualTo(2);
    window.add(8); // the 1 goes
    assertThat(window.median()).isEqualTo(8);
  }
}
