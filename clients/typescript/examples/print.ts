// Prints the shapes and labels of some batches: node build/examples/print.js 127.0.0.1:50051
import { Client } from "@feedline/client";
import { Dtype } from "@feedline/client/v1";

const client = new Client(process.argv[2] ?? "127.0.0.1:50051");
const stream = await client.stream({
  spec: { pipeline: { name: "imagenet-train" }, globalBatchSize: 8, seed: "1" },
  delivery: { dtype: Dtype.UINT8, count: "3" },
});
for await (const batch of stream) {
  const [image, label] = [batch.tensor("image"), batch.tensor("label")];
  const names = [...label.data].map((index) => stream.description.classes[Number(index)] ?? index);
  console.log(`epoch ${batch.header.epoch} step ${batch.header.step}: [${image.shape.join(", ")}] ${names.join(" ")}`);
}
