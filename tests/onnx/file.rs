//! ONNX files of one small convolution, written by hand: the messages of ONNX's own contract, as far as one needs them.

use prost::Message;

/// A convolution of 3 x 3 over three channels, padded with zeros, then an operator of one input.
pub(crate) struct Convolution {
    /// By output channel, input channel, row and column.
    pub(crate) weights: Vec<f32>,
    /// Added per output channel.
    pub(crate) bias: Vec<f32>,
    /// `Relu`, `Sqrt`, …
    pub(crate) then: &'static str,
    /// Declared dimensions of the input; 0 has a name in place of a size.
    pub(crate) input: [i64; 4],
    /// ONNX's number of its type; 1 is 32-bit floats.
    pub(crate) input_type: i32,
    /// Rows and columns that the convolution steps at once.
    pub(crate) stride: i64,
}

impl Convolution {
    /// The file.
    pub(crate) fn file(&self) -> Vec<u8> {
        let ints = |name: &str, values: &[i64]| Attribute { name: name.into(), ints: values.to_vec(), kind: 7 };
        let tensor = |name: &str, dims: &[i64], values: &[f32]| Tensor {
            name: name.into(),
            dims: dims.to_vec(),
            data_type: 1,
            raw_data: values.iter().flat_map(|x| x.to_le_bytes()).collect(),
        };
        let dims = |sizes: [i64; 4]| {
            let dim = |(place, size): (usize, i64)| Dimension {
                value: (size > 0).then_some(size),
                name: (size == 0).then(|| format!("d{place}")),
            };
            sizes.into_iter().enumerate().map(dim).collect()
        };
        let value = |name: &str, elem_type: i32, sizes: [i64; 4]| Value {
            name: name.into(),
            kind: Some(Type { tensor: Some(TensorType { elem_type, shape: Some(Shape { dims: dims(sizes) }) }) }),
        };
        let node = |op: &str, input: &[&str], output: &str, attributes: Vec<Attribute>| Node {
            input: input.iter().map(|name| (*name).into()).collect(),
            output: vec![output.into()],
            op: op.into(),
            attributes,
        };
        let attributes = vec![
            ints("kernel_shape", &[3, 3]),
            ints("pads", &[1, 1, 1, 1]),
            ints("strides", &[self.stride, self.stride]),
        ];
        let graph = Graph {
            nodes: vec![node("Conv", &["x", "w", "b"], "c", attributes), node(self.then, &["c"], "y", Vec::new())],
            name: "small".into(),
            initializers: vec![tensor("w", &[3, 3, 3, 3], &self.weights), tensor("b", &[3], &self.bias)],
            inputs: vec![value("x", self.input_type, self.input)],
            outputs: vec![value("y", 1, [0; 4])],
        };
        let opset = Opset { domain: String::new(), version: 13 };
        Model { ir_version: 8, graph: Some(graph), opsets: vec![opset] }.encode_to_vec()
    }

    /// What it makes of an image of `width` x `height`, channel by channel. Written out, with sums in 64 bits.
    pub(crate) fn applied(&self, values: &[f64], width: usize, height: usize) -> Vec<f64> {
        let mut made = Vec::new();
        for (place, bias) in (0..3 * height * width).map(|at| (at, f64::from(self.bias[at / (height * width)]))) {
            let (channel, y, x) = (place / (height * width), place / width % height, place % width);
            let mut sum = bias;
            for (at, weight) in self.weights[channel * 27..][..27].iter().enumerate() {
                let (from, dy, dx) = (at / 9, at / 3 % 3, at % 3);
                let (row, column) = ((y + dy).checked_sub(1), (x + dx).checked_sub(1));
                if let (Some(row), Some(column)) = (row, column)
                    && row < height
                    && column < width
                {
                    sum += f64::from(*weight) * values[from * height * width + row * width + column];
                }
            }
            made.push(if self.then == "Relu" { sum.max(0.0) } else { sum.sqrt() });
        }
        made
    }
}

#[derive(Clone, PartialEq, Message)]
struct Model {
    #[prost(int64, tag = "1")]
    ir_version: i64,
    #[prost(message, optional, tag = "7")]
    graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    opsets: Vec<Opset>,
}

#[derive(Clone, PartialEq, Message)]
struct Opset {
    #[prost(string, tag = "1")]
    domain: String,
    #[prost(int64, tag = "2")]
    version: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Graph {
    #[prost(message, repeated, tag = "1")]
    nodes: Vec<Node>,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(message, repeated, tag = "5")]
    initializers: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    inputs: Vec<Value>,
    #[prost(message, repeated, tag = "12")]
    outputs: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Node {
    #[prost(string, repeated, tag = "1")]
    input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    output: Vec<String>,
    #[prost(string, tag = "4")]
    op: String,
    #[prost(message, repeated, tag = "5")]
    attributes: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
struct Attribute {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int64, repeated, tag = "8")]
    ints: Vec<i64>,
    #[prost(int32, tag = "20")]
    kind: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Tensor {
    #[prost(int64, repeated, tag = "1")]
    dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    data_type: i32,
    #[prost(string, tag = "8")]
    name: String,
    #[prost(bytes = "vec", tag = "9")]
    raw_data: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    kind: Option<Type>,
}

#[derive(Clone, PartialEq, Message)]
struct Type {
    #[prost(message, optional, tag = "1")]
    tensor: Option<TensorType>,
}

#[derive(Clone, PartialEq, Message)]
struct TensorType {
    #[prost(int32, tag = "1")]
    elem_type: i32,
    #[prost(message, optional, tag = "2")]
    shape: Option<Shape>,
}

#[derive(Clone, PartialEq, Message)]
struct Shape {
    #[prost(message, repeated, tag = "1")]
    dims: Vec<Dimension>,
}

#[derive(Clone, PartialEq, Message)]
struct Dimension {
    #[prost(int64, optional, tag = "1")]
    value: Option<i64>,
    #[prost(string, optional, tag = "2")]
    name: Option<String>,
}
