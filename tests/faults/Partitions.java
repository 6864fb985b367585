import java.nio.charset.StandardCharsets;
import java.util.Scanner;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;

/** Tells to which of so many partitions Java's own producer sends the keys on standard input, a line each. */
public class Partitions {
    public static void main(String[] arguments) {
        int count = Integer.parseInt(arguments[0]);
        Scanner keys = new Scanner(System.in, StandardCharsets.UTF_8).useDelimiter("\n");
        while (keys.hasNext()) {
            System.out.println(BuiltInPartitioner.partitionForKey(keys.next().getBytes(StandardCharsets.UTF_8), count));
        }
    }
}
