import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** Finds the longest word of a text: Longest TEXT OUT. */
public class Longest {
  static volatile boolean ended;

  public static void main(String[] args) throws Exception {
    // SIGTERM runs the hooks, and then Java exits with 143 by itself.
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      if (!ended) System.err.println("stopped, and nothing is written");
    }));
    try {
      System.err.println("reading");
      String word = read(args[0]).flatMap(line -> Stream.of(line.split("\\W+")))
          .max(Comparator.comparingInt(String::length)).orElseThrow();
      Files.writeString(Path.of(args[1]), word + "\n");
    } finally {
      ended = true;
    }
  }

  static Stream<String> read(String path) {
    try {
      return Files.lines(Path.of(path));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the text", e);
    }
  }
}
